"""Player sessions: as they landed, one row each, and those that break a rule."""

import polars as pl

from warehouse.datasets.dataset import INSTANT, Dataset

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
