"""Every lake table: its schema, key, partition and the unit of each column.

Those of watches, live streams, player events and CMCD are in `watch_`, `live_`, `event_` and `cmcd_datasets`.

What fills a table is computed in `warehouse.metrics`; how it is stored is in `warehouse.lake`. Units stand in the
names: `_ms`, `_bps`, `_at` (UTC), `_pct` (0-100), `_ratio` (0-1).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import polars as pl

from warehouse.cmcd_datasets import CMCD_DATASETS
from warehouse.dataset import INSTANT as INSTANT
from warehouse.dataset import Dataset as Dataset
from warehouse.dataset import base_of
from warehouse.event_datasets import EVENT_DATASETS
from warehouse.live_datasets import LIVE_DATASETS
from warehouse.watch_datasets import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES

METRICS_VERSION = 1
"""Raise when a formula in `warehouse.metrics` changes: every partition built by another version is stale."""


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums: names and units of its two terms, and the factor that turns their quotient into the metric.

    First moments are stored in the terms' own units (ms, counts, bits); second moments in seconds and Mbit, for
    squares of milliseconds overflow.
    """

    name: str
    num_unit: str
    den_unit: str
    factor: float


SCALE = {"ms": 1e-3, "count": 1.0, "bit": 1e-6}
"""From the unit of a first moment to the unit of its second moments."""

RATIOS = (
    Ratio("rebuffer_pct_play", "ms", "ms", 100.0),
    Ratio("rebuffer_pct_cta", "ms", "ms", 100.0),
    Ratio("wait_pct", "ms", "ms", 100.0),
    Ratio("rebuffers_per_hour", "count", "ms", 3_600_000.0),
    Ratio("bitrate_bps", "bit", "ms", 1_000.0),
    Ratio("dropped_frames_per_min", "count", "ms", 60_000.0),
    Ratio("mean_seek_ms", "ms", "count", 1.0),
)

MEANS = ("startup_ms", "rebuffer_ratio_media3", "seeks_per_session", "experience_score")
"""Means over sessions. Second moments are in the metric's own unit, except `startup_ms`: seconds squared."""

COUNTS = {
    "sessions": "Sessions, whatever is known of them",
    "outcome_n": "Sessions whose outcome is known: the attempts of failure rates",
    "played_n": "Outcome: played",
    "video_start_failure_n": "Outcome: never started, with an error",
    "exit_before_video_start_n": "Outcome: never started, without error",
    "playback_failure_n": "Outcome: started, ended by a fatal error",
    "clock_suspect_n": "Sessions placed by arrival, for their clock cannot be right",
    "play_ms_n": "Sessions with a known play time",
    "play_ms_sum": "Play time, ms",
    "duration_ms_sum": "Session duration, ms",
}

OUTCOMES = ("played", "video_start_failure", "exit_before_video_start", "playback_failure")

HISTOGRAM_METRICS = ("startup_ms",)

CONTENT_DIMENSION = "content"
"""The value of `dimension` for rows of content x stream type, which partition all sessions."""


def _ratio_columns(ratio: Ratio) -> dict[str, tuple[pl.DataType, str]]:
    def first(unit: str) -> pl.DataType:
        return pl.Float64() if unit == "bit" else pl.Int64()

    name = ratio.name
    return {
        f"{name}_n": (pl.Int64(), f"Sessions for which every term of {name} is known"),
        f"{name}_num_sum": (first(ratio.num_unit), f"Numerator of {name}, {ratio.num_unit}"),
        f"{name}_den_sum": (first(ratio.den_unit), f"Denominator of {name}, {ratio.den_unit}"),
        f"{name}_num_sq_sum": (
            pl.Float64(),
            f"Squares of the numerator of {name}, in seconds, counts or Mbit",
        ),
        f"{name}_den_sq_sum": (pl.Float64(), f"Squares of the denominator of {name}, in seconds or counts"),
        f"{name}_num_den_sum": (pl.Float64(), f"Cross products of the terms of {name}"),
    }


def _mean_columns(name: str) -> dict[str, tuple[pl.DataType, str]]:
    integral = name in {"startup_ms", "seeks_per_session"}
    return {
        f"{name}_n": (pl.Int64(), f"Sessions with a value of {name}"),
        f"{name}_sum": (pl.Int64() if integral else pl.Float64(), f"Sum of {name}"),
        f"{name}_sq_sum": (pl.Float64(), f"Sum of squares of {name} (startup in seconds)"),
    }


_OUT_KEYS: dict[str, tuple[pl.DataType, str]] = {
    "day": (pl.Date(), "UTC day of the session's start"),
    "tenant": (pl.String(), "Owner of the data"),
    "dimension": (
        pl.String(),
        "'content' for content x stream type, else the name of a configured dimension",
    ),
    "value": (
        pl.String(),
        "Value of the dimension, rare ones as 'other'; null in content rows and where not sent",
    ),
    "content_id": (pl.String(), "Content, in content rows"),
    "stream_type": (pl.String(), "Stream type, in content rows"),
}

RAW_SESSIONS = Dataset(
    name="raw_sessions",
    comment="Every accepted session payload as it arrived, append-only",
    columns={
        "day": (pl.Date(), "UTC day of started_at"),
        "tenant": (pl.String(), "Owner of the data"),
        "ingest_id": (pl.String(), "UUIDv7 given at arrival, unique"),
        "received_at": (INSTANT, "Arrival, by the server's clock"),
        "session_id": (pl.String(), "The client's id; a numeric one as its digits"),
        "identity_at": (INSTANT, "For numeric ids, the start that is part of their identity; else null"),
        "started_at": (INSTANT, "Start of the session's first arrival: places every resend in the same day"),
        "sent_at": (INSTANT, "The client's timestamp; start + duration where it sent none"),
        "clock_suspect": (pl.Boolean(), "The claimed start cannot be right; placed by arrival"),
        "refused": (pl.String(), "Why Postgres refused the row; null when it took it"),
        "payload": (pl.String(), "The body, JSON"),
    },
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "session_id", "payload", "refused"}),
    retention="sessions",
)

CORE_SESSIONS = Dataset(
    name="core_sessions",
    comment="One row a session: typed, deduplicated to the newest send, cleaned",
    columns={
        "day": (pl.Date(), "UTC day of started_at"),
        "tenant": (pl.String(), "Owner of the data"),
        "session_id": (pl.String(), "The client's id; a numeric one as its digits"),
        "identity_at": (INSTANT, "For numeric ids, the start that is part of their identity; else null"),
        "content_id": (pl.String(), "What was played"),
        "stream_type": (pl.String(), "dash, hls, progressive, ..."),
        "user_id": (pl.String(), "Viewer, where known"),
        "device_id": (pl.String(), "Device, where known"),
        "started_at": (INSTANT, "Start of the session's first arrival, or its arrival if clock_suspect"),
        "sent_at": (INSTANT, "The client's timestamp of the newest send"),
        "received_at": (INSTANT, "Arrival of the newest send"),
        "ingest_id": (pl.String(), "The newest send in raw_sessions: the way back to the payload"),
        "duration_ms": (pl.Int64(), "From session start to end"),
        "startup_ms": (pl.Int64(), "From play request to first frame; null when neither came"),
        "play_ms": (pl.Int64(), "Time in the playing state"),
        "rebuffer_ms": (pl.Int64(), "Time stalled after the first frame"),
        "rebuffer_count": (pl.Int64(), "Stalls, also those while paused"),
        "rebuffer_ratio_media3": (pl.Float64(), "The SDK's own ratio; null where nothing was measured"),
        "seek_ms": (pl.Int64(), "Time seeking"),
        "seek_count": (pl.Int64(), "Seeks"),
        "dropped_frames": (pl.Int64(), "Dropped video frames"),
        "bitrate_bps": (pl.Int64(), "Mean video bitrate while playing; null when unknown"),
        "error_count": (pl.Int64(), "Fatal errors; null when not measured"),
        "outcome": (pl.String(), "played, video_start_failure, exit_before_video_start or playback_failure"),
        "clock_suspect": (pl.Boolean(), "The claimed start cannot be right; placed by arrival"),
        "business_error_count": (pl.Int64(), "Errors by decision: no right, no subscription; null without events"),
        "gap": (pl.Boolean(), "A silence ended the measured part; null without events"),
        "long_stall": (pl.Boolean(), "A stall over 20 s ended the measured part; null without events"),
    },
    key=("tenant", "session_id", "identity_at"),
    identifying=frozenset({"session_id", "user_id", "device_id", "ingest_id"}),
    dimensional=True,
    sorted_by=("tenant", "content_id", "stream_type", "started_at"),
)

CORE_SESSIONS_QUARANTINE = Dataset(
    name="core_sessions_quarantine",
    comment="Raw sessions that core could not take, with the rule that failed",
    columns={
        "day": (pl.Date(), "UTC day of started_at"),
        "tenant": (pl.String(), "Owner of the data"),
        "ingest_id": (pl.String(), "The row in raw_sessions"),
        "received_at": (INSTANT, "Arrival, by the server's clock"),
        "session_id": (pl.String(), "The client's id"),
        "rule": (pl.String(), "The rule that failed"),
        "detail": (pl.String(), "What was found"),
    },
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "session_id", "detail"}),
)

OUT_QOE_DAILY = Dataset(
    name="out_qoe_daily",
    comment="QoE sums a day, by content x stream type and by each configured dimension; ratios come at read time",
    columns=_OUT_KEYS
    | {name: (pl.Int64(), comment) for name, comment in COUNTS.items()}
    | {name: column for ratio in RATIOS for name, column in _ratio_columns(ratio).items()}
    | {name: column for mean in MEANS for name, column in _mean_columns(mean).items()},
    key=tuple(_OUT_KEYS),
)

OUT_QOE_HISTOGRAM_DAILY = Dataset(
    name="out_qoe_histogram_daily",
    comment="Log-spaced histograms a day, by the same keys as out_qoe_daily: quantiles come at read time",
    columns=_OUT_KEYS
    | {
        "metric": (pl.String(), "What was measured"),
        "bucket": (pl.Int32(), "Bucket number; see warehouse.metrics.histogram"),
        "n": (pl.Int64(), "Sessions in the bucket"),
    },
    key=(*_OUT_KEYS, "metric", "bucket"),
)


def _hourly(daily: Dataset) -> Dataset:
    """Return the table that adds up to a daily one: with the hour in its key, kept by days as well."""
    hour: dict[str, tuple[pl.DataType, str]] = {"hour": (INSTANT, "UTC hour of the session's start")}
    return replace(
        daily,
        name=daily.name.replace("daily", "hourly"),
        comment=daily.comment.replace(" a day", " an hour").replace("daily", "hourly"),
        columns={"day": daily.columns["day"]} | hour | dict(daily.columns),
        key=("day", "hour", *daily.key[1:]),
    )


OUT_QOE_HOURLY = _hourly(OUT_QOE_DAILY)
OUT_QOE_HISTOGRAM_HOURLY = _hourly(OUT_QOE_HISTOGRAM_DAILY)


OUT_QOE_DAILY_BASE = base_of(OUT_QOE_DAILY)
OUT_QOE_HISTOGRAM_DAILY_BASE = base_of(OUT_QOE_HISTOGRAM_DAILY)
OUT_QOE_HOURLY_BASE = base_of(OUT_QOE_HOURLY)
OUT_QOE_HISTOGRAM_HOURLY_BASE = base_of(OUT_QOE_HISTOGRAM_HOURLY)

DATASETS = {
    dataset.name: dataset
    for dataset in (
        RAW_SESSIONS,
        CORE_SESSIONS,
        CORE_SESSIONS_QUARANTINE,
        OUT_QOE_DAILY,
        OUT_QOE_HISTOGRAM_DAILY,
        OUT_QOE_HOURLY,
        OUT_QOE_HISTOGRAM_HOURLY,
        OUT_QOE_DAILY_BASE,
        OUT_QOE_HISTOGRAM_DAILY_BASE,
        OUT_QOE_HOURLY_BASE,
        OUT_QOE_HISTOGRAM_HOURLY_BASE,
        RAW_WATCHES,
        RAW_METADATA,
        CORE_WATCHES,
        OUT_PROGRESS_DAILY,
        *EVENT_DATASETS,
        *LIVE_DATASETS,
        *CMCD_DATASETS,
    )
}


def definition_version(dimensions: Mapping[str, str], emotes: Mapping[str, float] | None = None) -> str:
    """Return a short hash of what shapes derived tables: schemas, metrics, configured dimensions and emotes."""
    shape = {
        "metrics": METRICS_VERSION,
        "dimensions": dict(dimensions),
        "emotes": dict(emotes or {}),
        "schemas": _schemas(),
    }
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _schemas() -> dict[str, dict[str, str]]:
    return {d.name: {column: str(dtype) for column, dtype in d.schema().items()} for d in DATASETS.values()}
