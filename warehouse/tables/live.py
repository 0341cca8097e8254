"""The Postgres tables of live streams and player events as they landed: the newest of each id, under the seeds' names.

Written by `warehouse.landing.live_statements`; the same rows in the lake are in `live_datasets` and `event_datasets`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, String, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from warehouse.tables.schema import INSTANT, METADATA


def _tenant() -> Column[str]:
    return Column("tenant", Text, nullable=False, comment="Owner of the data")


def _stream() -> list[Column[str]]:
    return [_tenant(), Column("stream_id", String(128), nullable=False, comment="The stream")]


def _arrival() -> list[Column[object]]:
    return [
        Column("created_at", INSTANT, nullable=False, comment="Arrival of the newest send"),
        Column("ingest_id", UUID, nullable=False, comment="The newest send in the raw table of the lake"),
    ]


def _suspect() -> Column[bool]:
    return Column("clock_suspect", Boolean, nullable=False, comment="The claimed time cannot be right; it is arrival")


STREAMS = Table(
    "streams",
    METADATA,
    *_stream(),
    Column("title", Text, comment="Title"),
    Column("streamer_name", Text, comment="Who streams"),
    Column("game_category", Text, comment="Game or category"),
    Column("started_at", INSTANT, comment="Start of the stream; null where not told"),
    Column("is_live", Boolean, nullable=False, comment="Whether it is running"),
    Column("public", Boolean, nullable=False, comment="Whether it is read without a key"),
    Column("created_at", INSTANT, nullable=False, comment="Arrival of the first send"),
    Column("updated_at", INSTANT, nullable=False, comment="Arrival of the newest send"),
    Column("ingest_id", UUID, nullable=False, comment="The newest send in the raw table of the lake"),
    PrimaryKeyConstraint("tenant", "stream_id"),
    comment="One row a stream: its newest description, that is the greatest (updated_at, ingest_id)",
)
Index("ix_streams_public", STREAMS.c.stream_id, postgresql_where=STREAMS.c.public)

CHAT_MESSAGES = Table(
    "chat_messages",
    METADATA,
    *_stream(),
    Column("message_id", String(128), nullable=False, comment="The sender's id of the message"),
    Column("timestamp", INSTANT, nullable=False, comment="When it was written; its arrival if clock_suspect"),
    Column("user_id", Text, comment="Who wrote it"),
    Column("username", Text, comment="The name shown beside it, where sent"),
    Column("message", Text, comment="The text"),
    Column("emotes", ARRAY(Text), nullable=False, comment="Emotes in it, one entry a use"),
    _suspect(),
    *_arrival(),
    PrimaryKeyConstraint("tenant", "stream_id", "message_id"),
    comment="One row a chat message: its newest send, that is the greatest (created_at, ingest_id)",
)
Index("ix_chat_messages_time", CHAT_MESSAGES.c.tenant, CHAT_MESSAGES.c.stream_id, CHAT_MESSAGES.c.timestamp)

VIEWER_TIMESERIES = Table(
    "viewer_timeseries",
    METADATA,
    *_stream(),
    Column("timestamp", INSTANT, nullable=False, comment="When it was sampled; its arrival if clock_suspect"),
    Column("viewer_count", BigInteger, nullable=False, comment="Concurrent viewers"),
    _suspect(),
    *_arrival(),
    PrimaryKeyConstraint("tenant", "stream_id", "timestamp"),
    comment="One row a sample of a stream's viewers: its newest send, that is the greatest (created_at, ingest_id)",
)
Index("ix_viewer_timeseries_arrival", VIEWER_TIMESERIES.c.created_at)

ANALYTICS_EVENTS = Table(
    "analytics_events",
    METADATA,
    _tenant(),
    Column("session_id", String(128), nullable=False, comment="The session"),
    Column("event_id", String(128), nullable=False, comment="The sender's id of the event"),
    Column(
        "timestamp", INSTANT, comment="When it happened, by the sender's clock; null where the sender does not know"
    ),
    Column("event_type", Text, nullable=False, comment="load, ready, play, pause, seek, complete, error, ..."),
    Column("video_id", String(256), comment="What was played; null where another event of the session tells it"),
    Column("user_id", Text, comment="Viewer, where known"),
    Column("event_data", JSONB, comment="What the event carries, as it came"),
    _suspect(),
    *_arrival(),
    PrimaryKeyConstraint("tenant", "session_id", "event_id"),
    comment="One row a player event: its newest send, that is the greatest (timestamp, created_at, ingest_id)",
)
Index("ix_analytics_events_video", ANALYTICS_EVENTS.c.tenant, ANALYTICS_EVENTS.c.video_id)
Index("ix_analytics_events_arrival", ANALYTICS_EVENTS.c.tenant, ANALYTICS_EVENTS.c.created_at)

TICKETS = Table(
    "tickets",
    METADATA,
    Column("sha256", Text, primary_key=True, comment="SHA-256 of the ticket, hex; the ticket is not kept"),
    _tenant(),
    Column("expires_at", INSTANT, nullable=False, comment="When it stops working"),
    comment="Tickets that open one WebSocket each; deleted when used or expired",
)

LIVE_TABLES = (STREAMS, CHAT_MESSAGES, VIEWER_TIMESERIES, ANALYTICS_EVENTS, TICKETS)
