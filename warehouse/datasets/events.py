"""The lake tables of player events and of what was watched second by second, with the unit of each column.

What fills the derived ones is computed in `warehouse.metrics.events`, `watching` and `engagement`; the sessions that
events become are rows of `core_sessions`. Events lie in the day of their session, wherever their own time is.
"""

from typing import Literal, get_args

import polars as pl

from warehouse.datasets.dataset import INSTANT, Dataset, base_of

EventType = Literal[
    "load",
    "ready",
    "play",
    "pause",
    "seek",
    "complete",
    "error",
    "quality_change",
    "buffer_start",
    "buffer_end",
    "dropped_frames",
    "heartbeat",
]
"""What a player tells of."""

EVENT_TYPES: tuple[str, ...] = get_args(EventType)

_OWNED: dict[str, tuple[pl.DataType, str]] = {
    "day": (pl.Date(), "UTC day of the session's start, as its first arrival told it"),
    "tenant": (pl.String(), "Owner of the data"),
}
_EVENT: dict[str, tuple[pl.DataType, str]] = _OWNED | {
    "session_id": (pl.String(), "The session"),
    "event_id": (pl.String(), "The sender's id of the event"),
    "occurred_at": (INSTANT, "When it happened, by the sender's clock; null where the sender does not know"),
    "clock_suspect": (pl.Boolean(), "The claimed time cannot be right; only differences of such times count"),
    "received_at": (INSTANT, "Arrival, by the server's clock"),
    "ingest_id": (pl.String(), "UUIDv7 given at arrival: the way back to the payload"),
}

DATA_COLUMNS: dict[str, tuple[str, pl.DataType, str]] = {
    "position_s": ("position", pl.Float64(), "Position in the content, seconds"),
    "duration_s": ("duration", pl.Float64(), "Length of the content, seconds"),
    "live": ("live", pl.Boolean(), "Whether the content is a live stream"),
    "startup_ms": ("startup_ms", pl.Float64(), "From play request to first frame, as the player measured it"),
    "from_s": ("from", pl.Float64(), "Position that a seek left, seconds"),
    "to_s": ("to", pl.Float64(), "Position that a seek went to, seconds"),
    "phase": ("phase", pl.String(), "start or end, of a seek that is told by two events; else null"),
    "bitrate_bps": ("bitrate_bps", pl.Float64(), "Video bitrate from here on"),
    "width": ("width", pl.Float64(), "Video width, pixels"),
    "height": ("height", pl.Float64(), "Video height, pixels"),
    "frame_count": ("count", pl.Float64(), "Frames dropped since the last such event"),
    "playing": ("playing", pl.Boolean(), "Whether a heartbeat comes from a running playback"),
    "code": ("code", pl.String(), "Error code"),
    "message": ("message", pl.String(), "Error message"),
    "fatal": ("fatal", pl.Boolean(), "Whether the error ended playback; true where not sent"),
    "error_kind": ("kind", pl.String(), "technical or business; technical where not sent"),
}
"""Column of `CORE_EVENTS`: the key in an event's `data`, type, comment. What is not sent is null."""

RAW_EVENTS = Dataset(
    name="raw_events",
    comment="Every accepted player event as it arrived, append-only",
    columns=_EVENT
    | {
        "refused": (pl.String(), "Why Postgres refused the row; null when it took it"),
        "payload": (pl.String(), "The event, JSON"),
    },
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "session_id", "event_id", "payload", "refused"}),
    retention="events",
)

CORE_EVENTS = Dataset(
    name="core_events",
    comment="One row a player event, deduplicated, its data typed",
    columns=_EVENT
    | {
        "type": (pl.String(), "One of warehouse.datasets.events.EVENT_TYPES"),
        "content_id": (pl.String(), "What was played; null where the sender told it by another event only"),
        "user_id": (pl.String(), "Viewer, where known"),
    }
    | {name: (dtype, comment) for name, (_, dtype, comment) in DATA_COLUMNS.items()},
    key=("tenant", "session_id", "event_id"),
    identifying=frozenset({"session_id", "event_id", "user_id", "ingest_id", "message"}),
)

CORE_WATCHED_SECONDS = Dataset(
    name="core_watched_seconds",
    comment="How often each viewer watched each second of each content in the sessions of a day; counts add up",
    columns=_OWNED
    | {
        "user_id": (pl.String(), "Viewer; null for all whose user is unknown"),
        "content_id": (pl.String(), "What was watched"),
        "second": (pl.Int64(), "Second of the content, the first is 1"),
        "count": (pl.Int64(), "Times it was watched"),
    },
    key=("day", "tenant", "user_id", "content_id", "second"),
    identifying=frozenset({"user_id"}),
)

_CONTENT: dict[str, tuple[pl.DataType, str]] = _OWNED | {"content_id": (pl.String(), "What was watched")}

OUT_ENGAGEMENT = Dataset(
    name="out_engagement",
    comment="Per day and content, sessions by second: completion, replay and drop-off curves are read from the sums",
    columns=_CONTENT
    | {
        "second": (pl.Int64(), "Second of the content; 0 is the row of totals"),
        "sessions_n": (pl.Int64(), "Sessions that watched it; in the row of totals, that watched anything"),
        "watches_sum": (pl.Int64(), "Times that it was watched; above sessions_n by the replays"),
        "reached_n": (pl.Int64(), "Sessions that watched it or anything later"),
        "last_n": (pl.Int64(), "Sessions of which it is the furthest second watched"),
        "completed_n": (pl.Int64(), "In the row of totals, sessions that watched the content to its end"),
        "length_n": (pl.Int64(), "In the row of totals, sessions that know the length of the content"),
        "length_s_max": (pl.Float64(), "In the row of totals, length of the content, seconds; null while unknown"),
    },
    key=("day", "tenant", "content_id", "second"),
)

OUT_ENGAGEMENT_BASE = base_of(OUT_ENGAGEMENT)

EVENT_DATASETS = (RAW_EVENTS, CORE_EVENTS, CORE_WATCHED_SECONDS, OUT_ENGAGEMENT, OUT_ENGAGEMENT_BASE)
