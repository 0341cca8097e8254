"""The page of live streams as its template prints it: a block a stream, and the footer, all as text and figures.

Its figures are chosen in `dashboards.stream_cards`; nothing here computes a metric.
"""

from datetime import datetime
from typing import Any

from dashboards import numbers, theme
from dashboards.cards import Tile, segment_name
from dashboards.choices import Choice, ChoicePage
from dashboards.provenance import provenance
from dashboards.stream_cards import moments, sections
from dashboards.streams_report import StreamReport, StreamsReport
from dashboards.streams_wording import DEFINITIONS, METHOD, TITLES, interval, value


def page(report: StreamsReport) -> ChoicePage:
    """Lay out a report."""
    return ChoicePage(
        heading="Live streams",
        title=segment_name(report.title),
        size=summary(report),
        noun="Stream",
        empty="No stream has landed yet. Once chat or viewers have landed and been refreshed, this page fills itself.",
        choices=tuple(_block(stream, f"stream-{at}") for at, stream in enumerate(report.streams, 1)),
        facts=(
            ("Tenant", segment_name(report.tenant)),
            *provenance(report),
        ),
        method=METHOD,
        definitions=DEFINITIONS,
    )


def summary(report: StreamsReport) -> str:
    """Write how much a report covers: streams and messages."""
    text = f"{numbers.count(report.stream_count, 'stream')}, {numbers.count(report.messages, 'message')}"
    left = report.stream_count - len(report.streams)
    return f"{text}; the {len(report.streams)} that ran last are shown" if left else text


def _block(stream: StreamReport, anchor: str) -> Choice:
    told = stream.description
    return Choice(
        anchor=anchor,
        name=segment_name(told.get("title") or stream.stream_id),
        lead=_lead(stream),
        tiles=_tiles(stream),
        sections=sections(stream, anchor),
        listings=(moments(stream, anchor),),
    )


def _lead(stream: StreamReport) -> str:
    told = stream.description
    names = [str(told[name]) for name in ("streamer_name", "game_category") if told.get(name)]
    named = f"{', '.join(theme.plain(name) for name in names)}. " if names else ""
    return f"{named}{_clock(stream.first_at)} to {_clock(stream.last_at)} UTC; id {theme.plain(stream.stream_id)}."


def _clock(at: datetime) -> str:
    return f"{numbers.day(at.date())}, {at:%H:%M}"


def _tiles(stream: StreamReport) -> tuple[Tile, ...]:
    rows = {row["metric"]: row for row in stream.summary.to_dicts()}
    peak = stream.peak_viewers
    return (
        Tile("messages", "Messages", f"{stream.messages:,}", "a count"),
        Tile("chatters", "Chatters", f"{stream.chatters:,}", "distinct users"),
        Tile(
            "peak_viewers",
            "Viewers, peak",
            numbers.NOT_MEASURED if peak is None else f"{peak:,}",
            "the greatest sample",
            known=peak is not None,
        ),
        *[_tile(metric, rows[metric]) for metric in TITLES],
        Tile("moments", "Moments", f"{stream.moments.height:,}", "in the table below"),
    )


def _tile(metric: str, row: dict[str, Any]) -> Tile:
    if row["value"] is None:
        return Tile(metric, TITLES[metric], numbers.NOT_MEASURED, f"n = {row['n']:,}", known=False)
    between = "no interval" if row["low"] is None else interval(row, metric)
    return Tile(metric, TITLES[metric], value(metric, row["value"]), f"n = {row['n']:,}", between)
