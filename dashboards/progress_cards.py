"""The figures and tables of one user on the page of watch progress, section by section.

Headline and footer are in `dashboards.progress_page`, names and definitions in `dashboards.progress_wording`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from dashboards import numbers, theme
from dashboards.cards import Card, Column, Section, Table
from dashboards.figures import calendar, watching
from dashboards.figures.watching import Bar, Group
from dashboards.progress_report import WEEKS, UserReport
from dashboards.progress_wording import CONFIDENCES, ESTIMATED, KINDS, change_in_words, title_of

DAILY = "out_progress_daily"
_SUMS = (Column("Watched", numeric=True), Column("Items", numeric=True))
_ONE = {"": Group("")}


def sections(user: UserReport, prefix: str) -> tuple[Section, ...]:
    """Return every section of figures, in the page's order; `prefix` makes their anchors unique on the page."""
    return (
        Section(f"{prefix}-activity", "Activity", "Activity", (_calendar(user, prefix), _weekly(user, prefix))),
        Section(f"{prefix}-growth", "All time", "All time", (_cumulative(user, prefix),)),
        Section(f"{prefix}-titles", "Top titles", "Titles", (_titles(user, prefix),)),
        Section(
            f"{prefix}-known",
            "What it was, and how well it is known",
            "Kinds, languages",
            (_kinds(user, prefix), _languages(user, prefix), _confidences(user, prefix)),
        ),
    )


def _calendar(user: UserReport, prefix: str) -> Card:
    watched = user.days.filter(pl.col("items") > 0)
    note = f"{numbers.count(watched.height, 'day')} of {user.days.height} with something watched."
    return Card(
        anchor=f"{prefix}-calendar",
        title="Day by day",
        definition=f"Time watched on each local day of the last {WEEKS} weeks, {user.zone.key}; grey: nothing.",
        source=DAILY,
        figure=calendar.calendar(user.days) if len(watched) else None,
        description=f"A calendar. {note} All of them are in the table that follows.",
        absent=f"Nothing was watched in the last {WEEKS} weeks.",
        note=note if len(watched) else "",
        table=Table(
            "Days with something watched, newest first",
            (Column("Day"), *_SUMS),
            tuple((numbers.day(row["day"]), *_sums(row)) for row in watched.sort("day", descending=True).to_dicts()),
        ),
        wide=True,
    )


def _weekly(user: UserReport, prefix: str) -> Card:
    totals = user.weeks.group_by("week").agg(pl.col("items", "watched_s").sum()).sort("week", descending=True)
    watched = totals.filter(pl.col("items") > 0)
    trend = user.progress.weekly_trend_percentage
    average_s = user.total_s * 7 // user.progress.days_since_first_episode if trend is not None else None
    note = "The running week is paler."
    if average_s is not None and trend is not None:
        note += (
            f" Dotted: the lifetime average of {numbers.duration(average_s)} a week; the last 7 × 24 h lie "
            f"{numbers.signed(trend, 'pct')} from it."
        )
    if user.change is not None:
        note += f" {change_in_words(user.change)}"
    return Card(
        anchor=f"{prefix}-weekly",
        title="Week by week",
        definition=f"Time watched in each week from Monday, by kind, the last {WEEKS} weeks.",
        source=DAILY,
        figure=watching.weekly(user.weeks, KINDS, average_s=average_s) if len(watched) else None,
        description=f"Bars by week. {note} All weeks are in the table that follows.",
        absent=f"Nothing was watched in the last {WEEKS} weeks.",
        note=note if len(watched) else "",
        table=Table(
            "Weeks with something watched, newest first",
            (Column("Week of"), *_SUMS),
            tuple((numbers.day(row["week"]), *_sums(row)) for row in watched.to_dicts()),
        ),
        wide=True,
    )


def _cumulative(user: UserReport, prefix: str) -> Card:
    points = [(point.label, point.cumulative_hours) for point in user.progress.all_time_progress]
    return Card(
        anchor=f"{prefix}-cumulative",
        title="Hours so far, by quarter",
        definition="Whole hours watched up to the end of each calendar quarter, named by its first month.",
        source=DAILY,
        figure=watching.cumulative(points),
        description=f"From {points[0][1]:,} hours ({points[0][0]}) to {points[-1][1]:,} hours ({points[-1][0]}).",
        table=Table(
            "Hours by quarter",
            (Column("Quarter from"), Column("Hours so far", numeric=True)),
            tuple((label, f"{hours:,}") for label, hours in points),
        ),
        wide=True,
    )


def _titles(user: UserReport, prefix: str) -> Card:
    rows = user.titles.to_dicts()
    note = f"The {len(rows)} longest of {user.title_count:,} titles." if user.title_count > len(rows) else ""
    return Card(
        anchor=f"{prefix}-top",
        title="Most watched",
        definition="Time watched of each series, movie, channel and podcast.",
        source=DAILY,
        figure=watching.ranking([_bar(row, title_of(row), row["kind"]) for row in rows], KINDS),
        description=f"Bars by title; the longest is {title_of(rows[0])}. All are in the table that follows.",
        note=note,
        table=Table(
            "Most watched titles",
            (Column("Title"), Column("Kind", brief=True), *_SUMS),
            tuple((title_of(row), KINDS[row["kind"]].title, *_sums(row)) for row in rows),
        ),
        wide=True,
    )


def _kinds(user: UserReport, prefix: str) -> Card:
    names = {kind: group.title for kind, group in KINDS.items()}
    definition = "Time watched of each kind."
    return _breakdown(user.kinds, "kind", f"{prefix}-kinds", "By kind", definition, names, KINDS)


def _languages(user: UserReport, prefix: str) -> Card:
    definition = "Time watched in each language: the import's own, else the language that the user has set."
    return _breakdown(user.languages, "language", f"{prefix}-languages", "By language", definition, {None: "Not set"})


def _confidences(user: UserReport, prefix: str) -> Card:
    names = {confidence: group.title for confidence, group in CONFIDENCES.items()}
    definition = f"Time watched by how well it is known. {ESTIMATED}"
    anchor = f"{prefix}-confidence"
    return _breakdown(
        user.confidences, "confidence", anchor, "By confidence", definition, names, CONFIDENCES, wide=True
    )


def _breakdown(
    frame: pl.DataFrame,
    column: str,
    anchor: str,
    title: str,
    definition: str,
    names: Mapping[Any, str],
    groups: Mapping[str, Group] | None = None,
    *,
    wide: bool = False,
) -> Card:
    rows = frame.to_dicts()
    labels = [names.get(row[column]) or theme.plain(row[column]) for row in rows]
    bars = [_bar(row, label, row[column] if groups else "") for row, label in zip(rows, labels, strict=True)]
    spoken = (f"{label}: {numbers.duration(row['watched_s'])}" for row, label in zip(rows, labels, strict=True))
    figure = watching.ranking(bars, groups or _ONE)
    figure.update_layout(showlegend=False, margin={"t": 12})
    return Card(
        anchor=anchor,
        title=title,
        definition=definition,
        source=DAILY,
        figure=figure,
        description=", ".join(spoken) + ".",
        table=_breakdown_table(title, column, zip(labels, rows, strict=True)),
        wide=wide,
    )


def _breakdown_table(title: str, column: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    columns = (Column(column.capitalize()), *_SUMS)
    return Table(title, columns, tuple((label, *_sums(row)) for label, row in rows))


def _bar(row: Mapping[str, Any], name: str, group: str) -> Bar:
    hover = f"<b>{theme.label(name, 60)}</b><br>{', '.join(_sums(row, ' items'))}"
    return Bar(watching.label(name), hover, row["watched_s"], group)


def _sums(row: Mapping[str, Any], noun: str = "") -> tuple[str, str]:
    return numbers.duration(row["watched_s"]), f"{row['items']:,}{noun}"
