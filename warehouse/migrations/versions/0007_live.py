"""Live streams and player events: what landed, minutes and moments, what was watched; the seed's views of them."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

_VIEWS = {
    "chat_summary_minute": (
        """
        SELECT ('x' || left(md5(tenant || chr(31) || stream_id || chr(31) || extract(epoch FROM window_start)), 15))::bit(60)::bigint AS id,
            tenant, stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes, avg_sentiment, chat_rate,
            avg_viewers, z_score, is_anomaly, peak_viewers, sentiment_coverage_ratio
        FROM out_chat_minute
        """,
        "out_chat_minute under the names of Telemetra; the id is made of tenant, stream and minute",
    ),
    "moments": (
        """
        SELECT moment_id, tenant, stream_id, detected_at AS timestamp, moment_type, description, metric_name, metric_value,
            threshold, z_score, evidence::jsonb AS metadata
        FROM out_moments
        """,
        "out_moments under the names of Telemetra",
    ),
}


def upgrade() -> None:
    op.create_table("analytics_events",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("session_id", sa.String(length=128), nullable=False, comment="The session"),
        sa.Column("event_id", sa.String(length=128), nullable=False, comment="The sender's id of the event"),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=True, comment="When it happened, by the sender's clock; null where the sender does not know"),
        sa.Column("event_type", sa.Text(), nullable=False, comment="load, ready, play, pause, seek, complete, error, ..."),
        sa.Column("video_id", sa.String(length=256), nullable=True, comment="What was played; null where another event of the session tells it"),
        sa.Column("user_id", sa.Text(), nullable=True, comment="Viewer, where known"),
        sa.Column("event_data", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="What the event carries, as it came"),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False, comment="The claimed time cannot be right; it is arrival"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the newest send"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The newest send in the raw table of the lake"),
        sa.PrimaryKeyConstraint("tenant", "session_id", "event_id", name=op.f("pk_analytics_events")),
        comment="One row a player event: its newest send, that is the greatest (timestamp, created_at, ingest_id)",
    )
    op.create_index("ix_analytics_events_arrival", "analytics_events", ["tenant", "created_at"], unique=False)
    op.create_index("ix_analytics_events_video", "analytics_events", ["tenant", "video_id"], unique=False)
    op.create_table("chat_messages",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("stream_id", sa.String(length=128), nullable=False, comment="The stream"),
        sa.Column("message_id", sa.String(length=128), nullable=False, comment="The sender's id of the message"),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False, comment="When it was written; its arrival if clock_suspect"),
        sa.Column("user_id", sa.Text(), nullable=True, comment="Who wrote it"),
        sa.Column("username", sa.Text(), nullable=True, comment="The name shown beside it, where sent"),
        sa.Column("message", sa.Text(), nullable=True, comment="The text"),
        sa.Column("emotes", postgresql.ARRAY(sa.Text()), nullable=False, comment="Emotes in it, one entry a use"),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False, comment="The claimed time cannot be right; it is arrival"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the newest send"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The newest send in the raw table of the lake"),
        sa.PrimaryKeyConstraint("tenant", "stream_id", "message_id", name=op.f("pk_chat_messages")),
        comment="One row a chat message: its newest send, that is the greatest (created_at, ingest_id)",
    )
    op.create_index("ix_chat_messages_time", "chat_messages", ["tenant", "stream_id", "timestamp"], unique=False)
    op.create_table("core_watched_seconds",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day of the session's start, as its first arrival told it"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("user_id", sa.Text(), nullable=True, comment="Viewer; null for all whose user is unknown"),
        sa.Column("content_id", sa.Text(), nullable=True, comment="What was watched"),
        sa.Column("second", sa.BigInteger(), nullable=True, comment="Second of the content, the first is 1"),
        sa.Column("count", sa.BigInteger(), nullable=True, comment="Times it was watched"),
        sa.UniqueConstraint("day", "tenant", "user_id", "content_id", "second", name="uq_core_watched_seconds_key", postgresql_nulls_not_distinct=True),
        comment="How often each viewer watched each second of each content in the sessions of a day; counts add up",
    )
    op.create_table("out_chat_minute",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day that the row belongs to"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("stream_id", sa.Text(), nullable=True, comment="The stream"),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True, comment="Start of the minute, included"),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True, comment="End of the minute, not included"),
        sa.Column("chat_count", sa.BigInteger(), nullable=True, comment="Messages; 0 where there were only viewers"),
        sa.Column("unique_chatters", sa.BigInteger(), nullable=True, comment="Distinct users; does not add up over minutes"),
        sa.Column("top_emotes", postgresql.ARRAY(sa.Text()), nullable=True, comment="Emotes used most, by frequency, then by name"),
        sa.Column("top_emote_counts", postgresql.ARRAY(sa.BigInteger()), nullable=True, comment="Uses of each of top_emotes"),
        sa.Column("sentiment_n", sa.BigInteger(), nullable=True, comment="Messages with any sentiment"),
        sa.Column("sentiment_sum", sa.Double(), nullable=True, comment="Sum of their sentiments"),
        sa.Column("avg_sentiment", sa.Double(), nullable=True, comment="Mean sentiment of those messages, -1 to 1; null without any"),
        sa.Column("sentiment_coverage_ratio", sa.Double(), nullable=True, comment="Share of messages with any sentiment; null without messages"),
        sa.Column("chat_rate", sa.Double(), nullable=True, comment="Messages per second"),
        sa.Column("viewer_n", sa.BigInteger(), nullable=True, comment="Viewer samples"),
        sa.Column("viewer_sum", sa.BigInteger(), nullable=True, comment="Sum of the viewer samples"),
        sa.Column("avg_viewers", sa.Double(), nullable=True, comment="Mean of the viewer samples; null without any"),
        sa.Column("peak_viewers", sa.BigInteger(), nullable=True, comment="Greatest viewer sample; null without any"),
        sa.Column("z_score", sa.Double(), nullable=True, comment="Greatest score of the chat windows that end in the minute; null while warming up"),
        sa.Column("is_anomaly", sa.Boolean(), nullable=True, comment="Whether one of those windows is over the threshold of chat_spike"),
        sa.UniqueConstraint("tenant", "stream_id", "window_start", name="uq_out_chat_minute_key", postgresql_nulls_not_distinct=True),
        comment="One row a stream and minute with a message or a viewer sample; published as chat_summary_minute",
    )
    op.create_table("out_engagement",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day of the session's start, as its first arrival told it"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("content_id", sa.Text(), nullable=True, comment="What was watched"),
        sa.Column("second", sa.BigInteger(), nullable=True, comment="Second of the content; 0 is the row of totals"),
        sa.Column("sessions_n", sa.BigInteger(), nullable=True, comment="Sessions that watched it; in the row of totals, that watched anything"),
        sa.Column("watches_sum", sa.BigInteger(), nullable=True, comment="Times that it was watched; above sessions_n by the replays"),
        sa.Column("reached_n", sa.BigInteger(), nullable=True, comment="Sessions that watched it or anything later"),
        sa.Column("last_n", sa.BigInteger(), nullable=True, comment="Sessions of which it is the furthest second watched"),
        sa.Column("completed_n", sa.BigInteger(), nullable=True, comment="In the row of totals, sessions that watched the content to its end"),
        sa.Column("length_n", sa.BigInteger(), nullable=True, comment="In the row of totals, sessions that know the length of the content"),
        sa.Column("length_s_max", sa.Double(), nullable=True, comment="In the row of totals, length of the content, seconds; null while unknown"),
        sa.UniqueConstraint("day", "tenant", "content_id", "second", name="uq_out_engagement_key", postgresql_nulls_not_distinct=True),
        comment="Per day and content, sessions by second: completion, replay and drop-off curves are read from the sums",
    )
    op.create_table("out_moments",
        sa.Column("day", sa.Date(), nullable=False, comment="UTC day that the row belongs to"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("stream_id", sa.Text(), nullable=True, comment="The stream"),
        sa.Column("moment_id", sa.Text(), nullable=True, comment="Made of tenant, stream, type and time: the same moment has the same id"),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=True, comment="End of the window that was over the threshold"),
        sa.Column("moment_type", sa.Text(), nullable=True, comment="chat_spike, viewer_spike or sentiment_shift"),
        sa.Column("description", sa.Text(), nullable=True, comment="The moment in words"),
        sa.Column("metric_name", sa.Text(), nullable=True, comment="chat_rate, viewer_count or avg_sentiment"),
        sa.Column("metric_value", sa.Double(), nullable=True, comment="Its value in the window: messages per second, viewers, -1 to 1"),
        sa.Column("threshold", sa.Double(), nullable=True, comment="What it exceeded, in the same unit"),
        sa.Column("z_score", sa.Double(), nullable=True, comment="Distance from the lagged baseline, in its standard deviations"),
        sa.Column("evidence", sa.Text(), nullable=True, comment="JSON: the window, the baseline and what was counted"),
        sa.UniqueConstraint("tenant", "moment_id", name="uq_out_moments_key", postgresql_nulls_not_distinct=True),
        comment="Moments of a stream, each with its threshold, score and evidence; published as moments",
    )
    op.create_table("streams",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("stream_id", sa.String(length=128), nullable=False, comment="The stream"),
        sa.Column("title", sa.Text(), nullable=True, comment="Title"),
        sa.Column("streamer_name", sa.Text(), nullable=True, comment="Who streams"),
        sa.Column("game_category", sa.Text(), nullable=True, comment="Game or category"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True, comment="Start of the stream; null where not told"),
        sa.Column("is_live", sa.Boolean(), nullable=False, comment="Whether it is running"),
        sa.Column("public", sa.Boolean(), nullable=False, comment="Whether it is read without a key"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the first send"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the newest send"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The newest send in the raw table of the lake"),
        sa.PrimaryKeyConstraint("tenant", "stream_id", name=op.f("pk_streams")),
        comment="One row a stream: its newest description, that is the greatest (updated_at, ingest_id)",
    )
    op.create_index("ix_streams_public", "streams", ["stream_id"], unique=False, postgresql_where=sa.text("public"))
    op.create_table("viewer_timeseries",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("stream_id", sa.String(length=128), nullable=False, comment="The stream"),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False, comment="When it was sampled; its arrival if clock_suspect"),
        sa.Column("viewer_count", sa.BigInteger(), nullable=False, comment="Concurrent viewers"),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False, comment="The claimed time cannot be right; it is arrival"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="Arrival of the newest send"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The newest send in the raw table of the lake"),
        sa.PrimaryKeyConstraint("tenant", "stream_id", "timestamp", name=op.f("pk_viewer_timeseries")),
        comment="One row a sample of a stream's viewers: its newest send, that is the greatest (created_at, ingest_id)",
    )
    op.create_index("ix_viewer_timeseries_arrival", "viewer_timeseries", ["created_at"], unique=False)
    op.create_table("tickets",
        sa.Column("sha256", sa.Text(), nullable=False, comment="SHA-256 of the ticket, hex; the ticket is not kept"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, comment="When it stops working"),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_tickets")),
        comment="Tickets that open one WebSocket each; deleted when used or expired",
    )
    for name, (query, comment) in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
        op.execute(f"COMMENT ON VIEW {name} IS '{comment}'")


def downgrade() -> None:
    for name in _VIEWS:
        op.execute(f"DROP VIEW {name}")
    op.drop_table("tickets")
    op.drop_table("viewer_timeseries")
    op.drop_table("streams")
    op.drop_table("out_moments")
    op.drop_table("out_engagement")
    op.drop_table("out_chat_minute")
    op.drop_table("core_watched_seconds")
    op.drop_table("chat_messages")
    op.drop_table("analytics_events")
