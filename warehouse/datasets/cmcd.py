"""The lake tables of CMCD: requests as players marked them, and what they say of each session, with units.

What fills the derived ones is computed in `warehouse.metrics.cmcd`. They stand beside the sessions of an SDK and never
replace them: a request tells what the player knew when it asked.
"""

import polars as pl

from warehouse.datasets.dataset import INSTANT, Dataset

_OWNED: dict[str, tuple[pl.DataType, str]] = {
    "day": (pl.Date(), "UTC day of the request, or of its arrival where nothing tells the time"),
    "tenant": (pl.String(), "Owner of the data"),
    "session_id": (pl.String(), "sid; null where the player sent none"),
}

RAW_CMCD = Dataset(
    name="raw_cmcd",
    comment="Every request with CMCD as it was loaded, append-only",
    columns=_OWNED
    | {
        "request_id": (pl.String(), "Made of the log's name, the line and its keys: a log loaded twice is one"),
        "number": (pl.Int64(), "Place in its log: the order where no time is told"),
        "occurred_at": (INSTANT, "When it was made, by the log or the player (ts); null where neither tells"),
        "received_at": (INSTANT, "Arrival, by the server's clock"),
        "ingest_id": (pl.String(), "UUIDv7 given at arrival: the way back to the payload"),
        "refused": (pl.String(), "Why Postgres refused the row; null when it took it"),
        "payload": (pl.String(), "The keys, JSON"),
    },
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "session_id", "request_id", "payload", "refused"}),
    retention="events",
)

REQUEST_COLUMNS: dict[str, tuple[str, pl.DataType, str]] = {
    "content_id": ("cid", pl.String(), "What was played"),
    "object_type": ("ot", pl.String(), "m manifest, a audio, v video, av both, i init, c or tt text, k key, o other"),
    "stream_format": ("sf", pl.String(), "d DASH, h HLS, s Smooth, o other"),
    "stream_kind": ("st", pl.String(), "v on demand, l live, ll live with low latency"),
    "bitrate_kbps": ("br", pl.Float64(), "Encoded bitrate of the object, kbit/s"),
    "top_bitrate_kbps": ("tb", pl.Float64(), "Highest bitrate that the player may choose, kbit/s"),
    "object_ms": ("d", pl.Float64(), "Play time of the object"),
    "buffer_ms": ("bl", pl.Float64(), "Media in the buffer"),
    "deadline_ms": ("dl", pl.Float64(), "Time until the buffer is empty"),
    "throughput_kbps": ("mtp", pl.Float64(), "Throughput that the player measured, kbit/s"),
    "requested_kbps": ("rtp", pl.Float64(), "Throughput that the player asks for, kbit/s"),
    "playback_rate": ("pr", pl.Float64(), "Playback rate; 1 where not sent"),
    "starved": ("bs", pl.Boolean(), "The buffer ran empty since the request before"),
    "urgent": ("su", pl.Boolean(), "Needed for startup, after a seek or a stall"),
    "starved_ms": ("bsd", pl.Float64(), "Version 2: how long the buffer was empty"),
    "startup_ms": ("msd", pl.Float64(), "Version 2: from play request to first frame"),
    "dropped_frames": ("dfa", pl.Float64(), "Version 2: dropped frames of the session so far"),
}
"""Column of `CORE_CMCD`: CMCD key, type, comment. What is not sent is null, of booleans false."""

CORE_CMCD = Dataset(
    name="core_cmcd",
    comment="One row a request with CMCD",
    columns=_OWNED
    | {name: column for name, column in RAW_CMCD.columns.items() if name in {"request_id", "number", "occurred_at"}}
    | {name: (dtype, comment) for name, (_, dtype, comment) in REQUEST_COLUMNS.items()},
    key=("tenant", "request_id"),
    identifying=frozenset({"session_id", "request_id"}),
)

OUT_CMCD_SESSIONS = Dataset(
    name="out_cmcd_sessions",
    comment="What the requests of a session say of its quality, beside the SDK's own session",
    columns=_OWNED
    | {
        "content_id": (pl.String(), "What was played; of several the last"),
        "stream_format": (pl.String(), "d DASH, h HLS, s Smooth, o other"),
        "stream_kind": (pl.String(), "v on demand, l live, ll live with low latency"),
        "first_at": (INSTANT, "The first request; null where no time is told"),
        "last_at": (INSTANT, "The last request; null where no time is told"),
        "requests_n": (pl.Int64(), "Requests"),
        "media_requests_n": (pl.Int64(), "Requests for audio or video"),
        "starved_requests_n": (pl.Int64(), "Requests that tell of an empty buffer"),
        "rebuffer_count": (pl.Int64(), "Stalls: runs of such requests of one kind of media, of the kind with most"),
        "rebuffer_ms": (pl.Int64(), "Version 2: time the buffer was empty; null where not told"),
        "urgent_requests_n": (pl.Int64(), "Requests for startup, after a seek or a stall"),
        "startup_ms": (pl.Int64(), "Version 2: from play request to first frame; null where not told"),
        "dropped_frames": (pl.Int64(), "Version 2: dropped frames; null where not told"),
        "media_ms": (pl.Int64(), "Play time of the video objects asked for, of the audio objects where there are none"),
        "bitrate_bps": (pl.Int64(), "Mean bitrate of the same, weighted by their play time where that is told"),
        "top_bitrate_bps": (pl.Int64(), "Highest bitrate that the player could choose for the same"),
        "bitrate_share_ratio": (pl.Float64(), "Mean of the bitrate over that highest, of requests that tell both"),
        "buffer_ms_mean": (pl.Float64(), "Mean buffer of the media requests that tell it"),
        "buffer_ms_min": (pl.Float64(), "Smallest buffer of those that are not urgent"),
        "throughput_bps": (pl.Int64(), "Median throughput that the player measured"),
        "requested_bps": (pl.Int64(), "Median throughput that the player asked for"),
    },
    key=("day", "tenant", "session_id"),
    identifying=frozenset({"session_id"}),
)

CMCD_DATASETS = (RAW_CMCD, CORE_CMCD, OUT_CMCD_SESSIONS)
