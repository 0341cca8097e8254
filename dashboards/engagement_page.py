"""The page of engagement as its template prints it: all titles side by side, a block a title, and the footer.

Its figures are chosen in `dashboards.engagement_cards`; nothing here computes a metric.
"""

from collections.abc import Mapping
from typing import Any

from dashboards import numbers
from dashboards.cards import Definition, Section, Tile, segment_name
from dashboards.choices import Choice, ChoicePage
from dashboards.engagement_cards import completion, sections
from dashboards.engagement_report import FEWEST, EngagementReport, TitleReport
from dashboards.figures.engagement import clock
from dashboards.provenance import provenance
from warehouse.datasets.events import OUT_ENGAGEMENT

METHOD = (
    "Everything comes from what players tell while they play (events and beacons), second by second of the title: what "
    "lies between a start and the next end was watched. Where no end came, the last heartbeat or stall serves. A "
    "summary alone says how long a session played, not what, so that such sessions are in the report on quality only.",
    "Intervals are 95 %, Wilson's for proportions. They treat sessions as independent; sessions of one viewer are "
    f"alike, so that the true ones are somewhat wider. Below {FEWEST} sessions stands “too few”. Counts have none.",
)
DEFINITIONS = tuple(
    Definition(*given, OUT_ENGAGEMENT.name)
    for given in (
        ("sessions", "Sessions", "Sessions that watched at least a second of the title."),
        ("watched", "Watched", "Σ seconds watched, what was watched again included."),
        (
            "completion",
            "To the end",
            "Sessions that watched 95 % of the title or more / sessions that know its length.",
        ),
        ("again", "Watched again", "Seconds watched by a session beyond its first time."),
        ("length", "Length", "The greatest length that a player told."),
    )
)


def page(report: EngagementReport) -> ChoicePage:
    """Lay out a report."""
    overall = report.overall.get("completion_ratio") if report.overall else None
    side_by_side = completion(report.completion.to_dicts(), overall if isinstance(overall, float) else None)
    overview = Section("titles", "All titles", "All titles", (side_by_side,))
    return ChoicePage(
        heading="Engagement",
        title=segment_name(report.title),
        size=_size(report),
        noun="Title",
        empty="No player has sent events yet. Once they have and were refreshed, this page fills itself.",
        choices=tuple(_block(title, f"title-{at}") for at, title in enumerate(report.titles, 1)),
        facts=(
            ("Tenant", segment_name(report.tenant)),
            ("Period", f"{report.first_day} to {report.last_day}, UTC" if report.first_day else "no day has sessions"),
            *provenance(report),
        ),
        method=METHOD,
        definitions=DEFINITIONS,
        overview=(overview,) if report.titles else (),
    )


def _size(report: EngagementReport) -> str:
    text = f"{numbers.count(report.title_count, 'title')}, {numbers.count(report.sessions, 'session')}"
    left = report.title_count - len(report.titles)
    return f"{text}; the {len(report.titles)} with most sessions are shown" if left else text


def _block(title: TitleReport, anchor: str) -> Choice:
    return Choice(
        anchor=anchor,
        name=segment_name(title.content_id),
        lead="What its sessions watched, second by second.",
        tiles=_tiles(title.totals),
        sections=sections(title, anchor),
    )


def _tiles(totals: Mapping[str, Any]) -> tuple[Tile, ...]:
    length = totals["length_s"]
    return (
        Tile("sessions", "Sessions", f"{totals['sessions_n']:,}", "a count"),
        Tile("watched", "Watched", numbers.duration(totals["watched_s"]), "a sum"),
        _completion(totals),
        Tile("again", "Watched again", numbers.duration(totals["again_s"]), "a sum"),
        Tile(
            "length",
            "Length",
            numbers.NOT_MEASURED if length is None else clock(round(length) + 1),
            f"told by {numbers.count(totals['length_n'], 'session')}",
            known=length is not None,
        ),
    )


def _completion(totals: Mapping[str, Any]) -> Tile:
    n = totals["length_n"]
    if n < FEWEST:
        text = numbers.TOO_FEW if n else numbers.NOT_MEASURED
        return Tile("completion", "To the end", text, f"n = {n:,}", known=False)
    between = numbers.interval(100 * totals["completion_low"], 100 * totals["completion_high"], "pct")
    return Tile(
        "completion", "To the end", numbers.number(100 * totals["completion_ratio"], "pct"), f"n = {n:,}", between
    )
