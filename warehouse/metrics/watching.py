"""Sessions from player events, and how they join the sessions that a summary tells of.

What one session's events say is in `playback`, what of the content was watched in `engagement`; summaries become
sessions in `sessions`.
"""

from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter

import polars as pl

from warehouse.datasets import CORE_SESSIONS
from warehouse.metrics.events import ordered
from warehouse.metrics.fields import INT4_MAX
from warehouse.metrics.outcomes import outcome
from warehouse.metrics.playback import measure
from warehouse.metrics.playback_records import Event, Playback

KEY = ("day", "tenant", "session_id")

MEASURES: dict[str, pl.DataType] = {
    "started_ms": pl.Int64(),
    "duration_ms": pl.Int64(),
    "startup_ms": pl.Int64(),
    "play_ms": pl.Int64(),
    "rebuffer_ms": pl.Int64(),
    "rebuffer_count": pl.Int64(),
    "seek_ms": pl.Int64(),
    "seek_count": pl.Int64(),
    "dropped_frames": pl.Int64(),
    "bitrate_bps": pl.Int64(),
    "error_count": pl.Int64(),
    "business_error_count": pl.Int64(),
    "gap": pl.Boolean(),
    "long_stall": pl.Boolean(),
}


def build_sessions(core: pl.DataFrame) -> pl.DataFrame:
    """Return one row a session from rows of `CORE_EVENTS`, each event once, in any order, sorted by key.

    The columns are those of `CORE_SESSIONS`. `startup_ms`, `dropped_frames` and `bitrate_bps` are
    null where no event tells them; a session of which no event's time is known has no measures. `started_at` is its
    first event, or the first arrival where that clock cannot be right. `rebuffer_ratio_media3` is an SDK's own and
    null; `stream_type` and `device_id` are not told by events.
    """
    events = ordered(core)
    told = events.group_by(KEY, maintain_order=True).agg(
        pl.col("content_id", "user_id").drop_nulls().last(),
        sent_at=pl.col("occurred_at").max(),
        received_at=pl.col("received_at").max(),
        ingest_id=pl.col("ingest_id").max(),
        arrived_at=pl.col("received_at").min(),
        clock_suspect=pl.col("clock_suspect").any(),
    )
    joined = told.join(_measures(events), on=KEY, how="left")
    placed_by_arrival = pl.col("clock_suspect") | pl.col("started_ms").is_null()
    started = pl.from_epoch("started_ms", "ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    schema = CORE_SESSIONS.schema()
    rows = joined.with_columns(
        started_at=pl.when(placed_by_arrival).then("arrived_at").otherwise(started),
        sent_at=pl.coalesce("sent_at", "arrived_at"),
        outcome=outcome(),
    )
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in rows.columns]
    return rows.with_columns(absent).select(*(pl.col(name).cast(dtype) for name, dtype in schema.items())).sort(*KEY)


def merge(summaries: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Join the sessions of summaries (`CORE_SESSIONS` with any dimensions) and of events (`build_sessions`).

    Where both tell of one session, the summary wins and events fill its nulls; the outcome follows from what results.
    Numeric ids are never those of events. Returns the columns of `summaries`, sorted by key.
    """
    key = (*KEY, "identity_at")
    joined = summaries.join(measured, on=key, how="full", coalesce=True, suffix="_of_events", nulls_equal=True)
    filled = [
        pl.coalesce(name, f"{name}_of_events").alias(name)
        for name in summaries.columns
        if f"{name}_of_events" in joined.columns
    ]
    merged = joined.with_columns(filled).with_columns(outcome=outcome())
    return merged.select(summaries.columns).sort(*key)


def playbacks(events: pl.DataFrame) -> Iterator[tuple[tuple[date, str, str], Playback]]:
    """Yield (day, tenant, session_id) and what is known of each session of `ordered` events with a known time."""
    timed = events.filter(pl.col("occurred_at").is_not_null()).with_columns(at_ms=pl.col("occurred_at").dt.epoch("ms"))
    # Ordered by tenant and session; one session's days are told apart by a stable sort.
    rows = timed.sort(*KEY, maintain_order=True).select(*KEY, *Event._fields).iter_rows()
    for key, session in groupby(rows, key=itemgetter(0, 1, 2)):
        yield key, measure([Event(*row[len(KEY) :]) for row in session])


def _measures(events: pl.DataFrame) -> pl.DataFrame:
    rows = [(*key, *_values(playback)) for key, playback in playbacks(events)]
    schema = {"day": pl.Date(), "tenant": pl.String(), "session_id": pl.String()} | MEASURES
    return pl.DataFrame(rows, schema=schema, orient="row")


def _values(playback: Playback) -> tuple[int | bool | None, ...]:
    # Summaries say at least 1 ms; a session of one instant has no duration.
    duration = min(playback.ended_ms - playback.started_ms, INT4_MAX)
    return (
        playback.started_ms,
        duration or None,
        playback.startup_ms,
        playback.play_ms,
        playback.rebuffer_ms,
        len(playback.stalls),
        playback.seek_ms,
        len(playback.seeks),
        playback.dropped_frames,
        playback.bitrate_bps,
        playback.error_count,
        playback.business_error_count,
        playback.gap,
        playback.long_stall,
    )
