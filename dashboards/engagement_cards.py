"""The figures of the page of engagement. Headline, overview and footer are in `dashboards.engagement_page`."""

from collections.abc import Iterable

import polars as pl

from dashboards import numbers
from dashboards.cards import Card, Column, Section, Table, segment_name
from dashboards.engagement_report import FEWEST, TitleReport
from dashboards.figures import engagement
from dashboards.figures.engagement import span
from dashboards.figures.points import Row
from warehouse.datasets.events import OUT_ENGAGEMENT

_COLUMNS = (
    Column("Position"),
    Column("Share", numeric=True),
    Column("95 % interval", numeric=True),
    Column("n", numeric=True),
)
_FEW = f"Fewer than {FEWEST} sessions: too few for a share."


def sections(title: TitleReport, prefix: str) -> tuple[Section, ...]:
    """Return the figures of a title; `prefix` makes their anchors unique on the page."""
    cards = (_reached(title, prefix), _left(title, prefix), _replays(title, prefix))
    return (Section(f"{prefix}-curves", "How far sessions came", "Curves", cards),)


def _reached(title: TitleReport, prefix: str) -> Card:
    rows = title.reached.to_dicts()
    enough = rows[0]["n"] >= FEWEST
    half = next((row["first_s"] for row in rows if row["value"] <= 0.5), None)
    note = "" if half is None or not enough else f"Half of the sessions had left at {engagement.clock(half)}."
    return Card(
        anchor=f"{prefix}-reached",
        title="Sessions that came this far",
        definition="Sessions that watched this position or a later one / sessions that watched anything of the title.",
        source=OUT_ENGAGEMENT.name,
        figure=engagement.reached(title.reached) if enough else None,
        description=f"A line that falls from 100 %. {note} All shares are in the table that follows.",
        absent=_FEW,
        note=note,
        table=Table("Sessions that came this far", _COLUMNS, tuple(map(_share, rows))) if enough else None,
        wide=True,
    )


def _left(title: TitleReport, prefix: str) -> Card:
    # Whoever came to the last step went no further.
    steps = title.left.head(-1)
    known = steps.filter(pl.col("n") >= FEWEST)
    return Card(
        anchor=f"{prefix}-left",
        title="Where sessions left",
        definition="Of the sessions that came to each twentieth of the title but the last, those that went no further.",
        source=OUT_ENGAGEMENT.name,
        figure=engagement.left(known) if known.height else None,
        description="Bars by position. All shares are in the table that follows.",
        absent=_FEW,
        note=f"Steps that fewer than {FEWEST} sessions came to are left out."
        if 0 < known.height < steps.height
        else "",
        table=Table("Where sessions left", _COLUMNS, tuple(map(_share, known.to_dicts()))),
    )


def _replays(title: TitleReport, prefix: str) -> Card:
    rows = title.replays.filter(pl.col("replays") > 0).to_dicts()
    return Card(
        anchor=f"{prefix}-replays",
        title="What was watched again",
        definition="Seconds watched by a session beyond its first time, a count.",
        source=OUT_ENGAGEMENT.name,
        figure=engagement.replays(title.replays) if rows else None,
        description="Bars by position. All counts above 0 are in the table that follows.",
        absent="No session watched anything of it twice.",
        table=Table(
            "What was watched again",
            (Column("Position"), Column("Seconds watched again", numeric=True)),
            tuple((span(row), f"{row['replays']:,}") for row in rows),
        ),
    )


def completion(rows: Iterable[Row], overall: float | None) -> Card:
    """Return completion of titles side by side."""
    listed = list(rows)
    return Card(
        anchor="completion",
        title="Watched to the end, by title",
        definition="Sessions that watched 95 % of the title or more / sessions that know its length.",
        source=OUT_ENGAGEMENT.name,
        figure=engagement.completion(pl.DataFrame(listed), overall) if listed else None,
        description="Points with their intervals, the highest first. All are in the table that follows.",
        absent=f"No title has {FEWEST} sessions that know its length.",
        note="" if overall is None or not listed else f"Dotted: all titles, {numbers.number(100 * overall, 'pct')}.",
        table=Table(
            "Watched to the end, by title",
            (Column("Title"), *_COLUMNS[1:]),
            tuple((segment_name(row["content_id"]), *_numbers(row)) for row in listed),
        ),
        wide=True,
    )


def _share(row: Row) -> tuple[str, ...]:
    return (span(row), *_numbers(row))


def _numbers(row: Row) -> tuple[str, str, str]:
    between = numbers.interval(100 * row["low"], 100 * row["high"], "pct")
    return numbers.number(100 * row["value"], "pct"), between, f"{row['n']:,}"
