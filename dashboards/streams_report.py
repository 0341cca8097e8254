"""Everything that the page of live streams shows of one tenant, computed with `warehouse.metrics`.

How it is drawn and worded is in `dashboards.streams_page`; where it is written, in `dashboards.publish`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from warehouse.datasets.live import CORE_CHAT, CORE_STREAMS, CORE_VIEWERS, OUT_CHAT_MINUTE, OUT_MOMENTS
from warehouse.metrics import stream_summary

MOST_STREAMS = 12
"""Streams that have a block of their own: those that ran last."""
SPAN = timedelta(hours=6)
"""How much of a stream is drawn minute by minute: its end."""
MOST_EMOTES = 15


@dataclass(frozen=True)
class StreamReport:
    """One stream."""

    stream_id: str
    description: Mapping[str, object]
    """title, streamer_name, game_category, started_at, is_live, public; empty where nobody described it."""
    first_at: datetime
    last_at: datetime
    """Begin of its first minute and end of its last."""
    messages: int
    chatters: int
    peak_viewers: int | None
    summary: pl.DataFrame
    """[metric, value, low, high, n], as `stream_summary.summarize` gives it."""
    minutes: pl.DataFrame
    """Rows of `OUT_CHAT_MINUTE` of the last `SPAN`."""
    means: Mapping[str, pl.DataFrame]
    """Of avg_viewers and avg_sentiment, [window_start, value, low, high, n] of the same minutes."""
    moments: pl.DataFrame
    """Rows of `OUT_MOMENTS`, newest first."""
    emotes: pl.DataFrame
    """[emote, uses], most used first."""


@dataclass(frozen=True)
class StreamsReport:
    """The streams of a tenant, the one that ran last first."""

    tenant: str
    title: str
    built_at: datetime
    definition_version: str
    streams: tuple[StreamReport, ...]
    stream_count: int
    messages: int
    rows: Mapping[str, int]
    """Rows counted, by table."""


@dataclass(frozen=True)
class Tables:
    """The frames that a report is built from, of any number of tenants."""

    minutes: pl.LazyFrame
    moments: pl.LazyFrame
    streams: pl.LazyFrame
    chat: pl.LazyFrame
    viewers: pl.LazyFrame

    def filter(self, chosen: pl.Expr) -> "Tables":
        """Return the rows that an expression chooses, of every table."""
        frames = (self.minutes, self.moments, self.streams, self.chat, self.viewers)
        return Tables(*(frame.filter(chosen) for frame in frames))

    def rows(self) -> dict[str, int]:
        """Count the rows of each, by table."""
        counted = {
            CORE_STREAMS.name: self.streams,
            CORE_CHAT.name: self.chat,
            CORE_VIEWERS.name: self.viewers,
            OUT_CHAT_MINUTE.name: self.minutes,
            OUT_MOMENTS.name: self.moments,
        }
        return {name: int(frame.select(pl.len()).collect().item()) for name, frame in counted.items()}


def build(
    tables: Tables, *, tenant: str, built_at: datetime, definition_version: str, title: str | None = None
) -> StreamsReport:
    """Compute the report of `tenant`; rows of other tenants are ignored."""
    own = tables.filter(pl.col("tenant") == tenant)
    ended = own.minutes.group_by("stream_id").agg(pl.col("window_end").max(), pl.col("chat_count").sum()).collect()
    newest = ended.sort("window_end", "stream_id", descending=[True, False])["stream_id"].head(MOST_STREAMS)
    return StreamsReport(
        tenant=tenant,
        title=title or tenant,
        built_at=built_at,
        definition_version=definition_version,
        streams=tuple(_stream(own.filter(pl.col("stream_id") == name), name) for name in newest),
        stream_count=ended.height,
        messages=int(ended["chat_count"].sum()),
        rows=own.rows(),
    )


def _stream(tables: Tables, stream_id: str) -> StreamReport:
    minutes = tables.minutes.sort("window_start").collect()
    chat = tables.chat.select("tenant", "stream_id", "sent_at", "user_id", "sentiment", "emotes").collect()
    ends = minutes["window_end"]
    drawn = minutes.filter(pl.col("window_end") > ends.max() - pl.lit(SPAN))
    means = {
        "avg_viewers": stream_summary.minute_means(tables.viewers, "sampled_at", "viewer_count"),
        "avg_sentiment": stream_summary.minute_means(chat, "sent_at", "sentiment"),
    }
    return StreamReport(
        stream_id=stream_id,
        # Of several days the newest description holds.
        description=next(iter(tables.streams.sort("received_at", "ingest_id").tail(1).collect().to_dicts()), {}),
        first_at=minutes["window_start"][0],
        last_at=ends[-1],
        messages=int(minutes["chat_count"].sum()),
        chatters=chat["user_id"].drop_nulls().n_unique(),
        peak_viewers=_whole(minutes["peak_viewers"].max()),
        summary=stream_summary.summarize(minutes),
        minutes=drawn,
        means={name: frame.join(drawn, on="window_start", how="semi") for name, frame in means.items()},
        moments=tables.moments.sort("detected_at", "moment_id", descending=True).collect(),
        emotes=stream_summary.emote_uses(chat).select("emote", "uses"),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
