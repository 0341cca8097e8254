"""The lake tables of live streams: streams, chat, viewer samples, minutes and moments, with the unit of each column.

What fills the derived ones is computed in `warehouse.metrics.streams`, `chat` and `moment_rows`. Raw rows keep the body
as it arrived. Chat and samples lie in the UTC day of their own time, or of their arrival where that cannot be right.
"""

import polars as pl

from warehouse.datasets.dataset import INSTANT, Dataset, base_of

MOMENT_TYPES = ("chat_spike", "viewer_spike", "sentiment_shift")

_OWNED: dict[str, tuple[pl.DataType, str]] = {
    "day": (pl.Date(), "UTC day that the row belongs to"),
    "tenant": (pl.String(), "Owner of the data"),
}
_STREAM: dict[str, tuple[pl.DataType, str]] = _OWNED | {"stream_id": (pl.String(), "The stream")}
_ARRIVED: dict[str, tuple[pl.DataType, str]] = {
    "received_at": (INSTANT, "Arrival, by the server's clock"),
    "ingest_id": (pl.String(), "UUIDv7 given at arrival: the way back to the payload"),
}
_SUSPECT: dict[str, tuple[pl.DataType, str]] = {
    "clock_suspect": (pl.Boolean(), "The claimed time cannot be right; placed by arrival"),
}
_RAW: dict[str, tuple[pl.DataType, str]] = {
    "refused": (pl.String(), "Why Postgres refused the row; null when it took it"),
    "payload": (pl.String(), "The body, JSON"),
}

RAW_STREAMS = Dataset(
    name="raw_streams",
    comment="Every accepted description of a stream as it arrived, append-only; its day is that of the arrival",
    columns=_STREAM | {"started_at": (INSTANT, "Start of the stream; null where not told")} | _ARRIVED | _RAW,
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "payload", "refused"}),
    retention="streams",
)

RAW_CHAT = Dataset(
    name="raw_chat",
    comment="Every accepted chat message as it arrived, append-only",
    columns=_STREAM
    | {
        "message_id": (pl.String(), "The sender's id of the message"),
        "sent_at": (INSTANT, "When it was written; its arrival if clock_suspect"),
    }
    | _ARRIVED
    | _SUSPECT
    | _RAW,
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "message_id", "payload", "refused"}),
    retention="chat",
)

RAW_VIEWERS = Dataset(
    name="raw_viewers",
    comment="Every accepted sample of concurrent viewers as it arrived, append-only",
    columns=_STREAM
    | {"sampled_at": (INSTANT, "When it was sampled; its arrival if clock_suspect")}
    | _ARRIVED
    | _SUSPECT
    | _RAW,
    key=("ingest_id",),
    identifying=frozenset({"ingest_id", "payload", "refused"}),
    retention="viewers",
)

CORE_STREAMS = Dataset(
    name="core_streams",
    comment="The newest description of a stream among those of a day; the newest day tells what holds",
    columns=_STREAM
    | _ARRIVED
    | {
        "title": (pl.String(), "Title"),
        "streamer_name": (pl.String(), "Who streams"),
        "game_category": (pl.String(), "Game or category"),
        "started_at": (INSTANT, "Start of the stream; null where not told"),
        "is_live": (pl.Boolean(), "Whether it is running"),
        "public": (pl.Boolean(), "Whether it is read without a key"),
    },
    key=("day", "tenant", "stream_id"),
    identifying=frozenset({"ingest_id", "streamer_name"}),
)

CORE_CHAT = Dataset(
    name="core_chat",
    comment="One row a chat message, with its sentiment",
    columns=_STREAM
    | {
        "message_id": (pl.String(), "The sender's id of the message"),
        "sent_at": (INSTANT, "When it was written; its arrival if clock_suspect"),
        "user_id": (pl.String(), "Who wrote it"),
        "username": (pl.String(), "The name shown beside it, where sent"),
        "message": (pl.String(), "The text"),
        "emotes": (pl.List(pl.String()), "Emotes in it, one entry a use"),
        "sentiment": (pl.Float64(), "-1 to 1, of VADER with the emote lexicon; null where neither knows a word of it"),
    }
    | _ARRIVED
    | _SUSPECT,
    key=("tenant", "stream_id", "message_id"),
    identifying=frozenset({"message_id", "user_id", "username", "message", "ingest_id"}),
)

CORE_VIEWERS = Dataset(
    name="core_viewers",
    comment="One row a sample of a stream's concurrent viewers",
    columns=_STREAM
    | {
        "sampled_at": (INSTANT, "When it was sampled; its arrival if clock_suspect"),
        "viewer_count": (pl.Int64(), "Concurrent viewers"),
    }
    | _ARRIVED
    | _SUSPECT,
    key=("tenant", "stream_id", "sampled_at"),
    identifying=frozenset({"ingest_id"}),
)

OUT_CHAT_MINUTE = Dataset(
    name="out_chat_minute",
    comment="One row a stream and minute with a message or a viewer sample; published as chat_summary_minute",
    columns=_STREAM
    | {
        "window_start": (INSTANT, "Start of the minute, included"),
        "window_end": (INSTANT, "End of the minute, not included"),
        "chat_count": (pl.Int64(), "Messages; 0 where there were only viewers"),
        "unique_chatters": (pl.Int64(), "Distinct users; does not add up over minutes"),
        "top_emotes": (pl.List(pl.String()), "Emotes used most, by frequency, then by name"),
        "top_emote_counts": (pl.List(pl.Int64()), "Uses of each of top_emotes"),
        "sentiment_n": (pl.Int64(), "Messages with any sentiment"),
        "sentiment_sum": (pl.Float64(), "Sum of their sentiments"),
        "avg_sentiment": (pl.Float64(), "Mean sentiment of those messages, -1 to 1; null without any"),
        "sentiment_coverage_ratio": (pl.Float64(), "Share of messages with any sentiment; null without messages"),
        "chat_rate": (pl.Float64(), "Messages per second"),
        "viewer_n": (pl.Int64(), "Viewer samples"),
        "viewer_sum": (pl.Int64(), "Sum of the viewer samples"),
        "avg_viewers": (pl.Float64(), "Mean of the viewer samples; null without any"),
        "peak_viewers": (pl.Int64(), "Greatest viewer sample; null without any"),
        "z_score": (pl.Float64(), "Greatest score of the chat windows that end in the minute; null while warming up"),
        "is_anomaly": (pl.Boolean(), "Whether one of those windows is over the threshold of chat_spike"),
    },
    key=("tenant", "stream_id", "window_start"),
)

OUT_MOMENTS = Dataset(
    name="out_moments",
    comment="Moments of a stream, each with its threshold, score and evidence; published as moments",
    columns=_STREAM
    | {
        "moment_id": (pl.String(), "Made of tenant, stream, type and time: the same moment has the same id"),
        "detected_at": (INSTANT, "End of the window that was over the threshold"),
        "moment_type": (pl.String(), "chat_spike, viewer_spike or sentiment_shift"),
        "description": (pl.String(), "The moment in words"),
        "metric_name": (pl.String(), "chat_rate, viewer_count or avg_sentiment"),
        "metric_value": (pl.Float64(), "Its value in the window: messages per second, viewers, -1 to 1"),
        "threshold": (pl.Float64(), "What it exceeded, in the same unit"),
        "z_score": (pl.Float64(), "Distance from the lagged baseline, in its standard deviations"),
        "evidence": (pl.String(), "JSON: the window, the baseline and what was counted"),
    },
    key=("tenant", "moment_id"),
)

OUT_CHAT_MINUTE_BASE = base_of(OUT_CHAT_MINUTE)
OUT_MOMENTS_BASE = base_of(OUT_MOMENTS)

LIVE_DATASETS = (
    RAW_STREAMS,
    RAW_CHAT,
    RAW_VIEWERS,
    CORE_STREAMS,
    CORE_CHAT,
    CORE_VIEWERS,
    OUT_CHAT_MINUTE,
    OUT_MOMENTS,
    OUT_CHAT_MINUTE_BASE,
    OUT_MOMENTS_BASE,
)
