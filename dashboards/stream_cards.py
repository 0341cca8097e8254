"""The figures and tables of one stream on the page of live streams.

Headline and footer are in `dashboards.streams_page`, names and definitions in `dashboards.streams_wording`.
"""

import json

import polars as pl

from dashboards import numbers, theme
from dashboards.cards import Card, Column, Section, Table
from dashboards.choices import Listing
from dashboards.figures import streams
from dashboards.streams_report import MOST_EMOTES, SPAN, StreamReport
from dashboards.streams_wording import MOMENTS, TITLES, interval, value
from warehouse.datasets.live import CORE_CHAT, CORE_VIEWERS, OUT_CHAT_MINUTE, OUT_MOMENTS

_SOURCES = {
    "chat_rate": OUT_CHAT_MINUTE.name,
    "avg_viewers": f"{OUT_CHAT_MINUTE.name}, {CORE_VIEWERS.name}",
    "avg_sentiment": f"{OUT_CHAT_MINUTE.name}, {CORE_CHAT.name}",
}
_DRAWN = {
    "chat_rate": "Messages of each minute / 60 s.",
    "avg_viewers": "Mean of the samples of each minute, in its 95 % interval.",
    "avg_sentiment": "Mean of the messages of each minute with any sentiment, in its 95 % interval.",
}
_COUNTED = {"chat_rate": "Messages", "avg_viewers": "Samples", "avg_sentiment": "Messages with sentiment"}
_N = {"chat_rate": "chat_count", "avg_viewers": "viewer_n", "avg_sentiment": "sentiment_n"}


def sections(stream: StreamReport, prefix: str) -> tuple[Section, ...]:
    """Return every section of figures, in the page's order; `prefix` makes their anchors unique on the page."""
    lead = "Dotted lines are moments of each measure; times are UTC."
    if stream.last_at - stream.first_at > SPAN:
        lead += f" The last {SPAN.total_seconds() / 3600:.0f} hours are drawn."
    cards = tuple(_by_minute(stream, column, prefix) for column in streams.SERIES)
    return (
        Section(f"{prefix}-minutes", "Minute by minute", "Minutes", cards, lead),
        Section(f"{prefix}-used", "Emotes", "Emotes", (_emotes(stream, prefix),)),
    )


def _by_minute(stream: StreamReport, column: str, prefix: str) -> Card:
    known = pl.col(column).is_not_null() & (column != "chat_rate" or stream.messages > 0)
    rows = stream.minutes.filter(known)
    moments = stream.moments.filter(pl.col("moment_type") == streams.METRIC_OF[column])
    drawn = moments.filter(pl.col("detected_at") > stream.last_at - SPAN)
    shown = rows.height > 1
    note = f"Moments: {', '.join(f'{at:%H:%M:%S}' for at in drawn['detected_at'].sort())}." if drawn.height else ""
    title = TITLES[column]
    return Card(
        anchor=f"{prefix}-{column.replace('_', '-')}",
        title=title,
        definition=_DRAWN[column],
        source=_SOURCES[column],
        figure=streams.by_minute(stream.minutes, drawn, column, means=stream.means.get(column)) if shown else None,
        description=f"{_extremes(rows, column)} {note} All minutes are in the table that follows.",
        absent="Fewer than two minutes have a value.",
        note=note,
        table=_minutes_table(stream, rows, column),
        wide=column == "chat_rate",
    )


def _extremes(rows: pl.DataFrame, column: str) -> str:
    if rows.is_empty():
        return "No values."
    low, high = (rows.sort(column).row(at, named=True) for at in (0, -1))
    ends = (
        f"{word} {value(column, row[column])} ({row['window_start']:%H:%M})"
        for word, row in zip(("lowest", "highest"), (low, high), strict=True)
    )
    return f"{TITLES[column]}: {'; '.join(ends)}."


def _minutes_table(stream: StreamReport, rows: pl.DataFrame, column: str) -> Table:
    bounds = {row["window_start"]: row for row in stream.means[column].to_dicts()} if column in stream.means else {}
    columns = [Column("Minute"), Column(TITLES[column], numeric=True)]
    columns += [Column("95 % interval", numeric=True)] if bounds else []
    lines = [
        (
            f"{row['window_start']:%Y-%m-%d %H:%M}",
            value(column, row[column]),
            *((interval(bounds[row["window_start"]], column),) if bounds else ()),
            f"{row[_N[column]]:,}",
        )
        for row in rows.to_dicts()
    ]
    return Table(f"{TITLES[column]} by minute", (*columns, Column(_COUNTED[column], numeric=True)), tuple(lines))


def _emotes(stream: StreamReport, prefix: str) -> Card:
    top = list(stream.emotes.head(MOST_EMOTES).iter_rows())
    note = f"The {len(top)} most used of {stream.emotes.height:,}." if stream.emotes.height > len(top) else ""
    rows = tuple((theme.plain(name), f"{uses:,}") for name, uses in top)
    return Card(
        anchor=f"{prefix}-emotes",
        title="Emotes by use",
        definition="How often each emote was used, every use in a message counted.",
        source=CORE_CHAT.name,
        figure=streams.emotes(top) if top else None,
        description=f"Bars by emote. {note} All of them are in the table that follows.",
        absent="No message told of an emote.",
        note=note,
        table=Table("Emotes by use", (Column("Emote"), Column("Uses", numeric=True)), rows),
        wide=True,
    )


def moments(stream: StreamReport, prefix: str) -> Listing:
    """Return the table of a stream's moments, newest first, each with its evidence."""
    columns = (
        Column("At, UTC", brief=True),
        Column("Moment", brief=True),
        Column("What happened"),
        Column("Value", numeric=True),
        Column("Threshold", numeric=True),
        Column("z", numeric=True),
        Column("Evidence"),
    )
    rows = tuple(
        (
            f"{row['detected_at']:%Y-%m-%d %H:%M:%S}",
            MOMENTS[row["moment_type"]],
            row["description"],
            value(row["metric_name"], row["metric_value"]),
            value(row["metric_name"], row["threshold"]),
            f"{row['z_score']:.1f}".replace("-", "\u2212"),
            _evidence(row["evidence"]),
        )
        for row in stream.moments.to_dicts()
    )
    lead = (
        f"{numbers.count(len(rows), 'window')} out of the usual, newest first."
        if rows
        else "No window was out of the usual."
    )
    return Listing(f"{prefix}-moments", "Moments", "Moments", lead, OUT_MOMENTS.name, Table("Moments", columns, rows))


def _evidence(text: str) -> str:
    told = json.loads(text)
    seconds = (told["window_end_ms"] - told["window_start_ms"]) // 1000
    return (
        f"{seconds} s: {numbers.count(told['messages'], 'message')}, "
        f"{told['messages_with_sentiment']:,} with sentiment, "
        f"{numbers.count(told['viewer_samples'], 'viewer sample')}"
    )
