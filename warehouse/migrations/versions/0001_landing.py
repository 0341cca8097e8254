"""Landed sessions and their keys, quarantine, API keys, builds of partitions."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "session_keys",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("session_id", sa.String(length=128), nullable=False, comment="The client's id; a numeric one as its digits"),
        sa.Column("identity_at", sa.DateTime(timezone=True), nullable=True, comment="For numeric ids, the start that is part of their identity; else null"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="Placement of the session's first arrival"),
        sa.UniqueConstraint("tenant", "session_id", "identity_at", name="uq_session_keys_identity", postgresql_nulls_not_distinct=True),
        comment="Where every session was placed by its first arrival, so that a resend finds its row. Belongs in backups",
    )
    op.create_table(
        "sessions",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("session_id", sa.String(length=128), nullable=False, comment="The client's id; a numeric one as its digits"),
        sa.Column("identity_at", sa.DateTime(timezone=True), nullable=True, comment="For numeric ids, the start that is part of their identity; else null"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="Placement of the session's first arrival; partition key"),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False, comment="The client's time of the newest send, or start + duration"),
        sa.Column("content_id", sa.String(length=256), nullable=True, comment="What was played"),
        sa.Column("stream_type", sa.String(length=16), nullable=True, comment="dash, hls, progressive, ..."),
        sa.Column("session_duration_ms", sa.Integer(), nullable=True, comment="From session start to end, ms"),
        sa.Column("player_startup_ms", sa.Integer(), nullable=True, comment="From play request to first frame, ms; null when either never came"),
        sa.Column("play_time_ms", sa.Integer(), nullable=True, comment="Time in the playing state, ms"),
        sa.Column("rebuffer_time_ms", sa.Integer(), nullable=True, comment="Time stalled after the first frame, ms; null when not measured"),
        sa.Column("rebuffer_count", sa.Integer(), nullable=True, comment="Stalls, also those while paused"),
        sa.Column("rebuffer_ratio", sa.Double(), nullable=True, comment="The SDK's own ratio, 0-1, as sent: 0 also where nothing was measured"),
        sa.Column("seek_time_ms", sa.Integer(), nullable=True, comment="Time seeking, ms"),
        sa.Column("seek_count", sa.Integer(), nullable=True, comment="Seeks"),
        sa.Column("dropped_frames", sa.Integer(), nullable=True, comment="Dropped video frames"),
        sa.Column("mean_bitrate_bps", sa.Integer(), nullable=True, comment="Mean video bitrate while playing, bit/s, as sent: -1 when unknown"),
        sa.Column("error_count", sa.Integer(), nullable=True, comment="Fatal errors; null when not measured"),
        sa.Column("clock_suspect", sa.Boolean(), nullable=False, comment="The claimed start cannot be right; placed by arrival"),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="The newest send as it came"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="Arrival of the newest send"),
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The newest send in raw_sessions of the lake"),
        sa.UniqueConstraint("tenant", "session_id", "identity_at", "started_at", name="uq_sessions_identity", postgresql_nulls_not_distinct=True),
        comment="One row a session: its newest send, that is the greatest (timestamp, created_at, ingest_id)",
        postgresql_partition_by="RANGE (started_at)",
    )
    op.create_table(
        "quarantine",
        sa.Column("ingest_id", sa.UUID(), nullable=False, comment="The send in the raw table of the lake"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why Postgres refused the row"),
        sa.Column("record", sa.Text(), nullable=False, comment="The landing record, JSON"),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When it was refused"),
        sa.PrimaryKeyConstraint("ingest_id", name=op.f("pk_quarantine")),
        comment="Landed rows that Postgres refused, each with its reason",
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text(), nullable=False, comment="Public part of the key"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="SHA-256 of the whole key, hex; the key is not kept"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of the data that the key lands and reads"),
        sa.Column("name", sa.Text(), nullable=False, comment="What its owner calls it"),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False, comment="What it may do"),
        sa.Column("quota", sa.Integer(), nullable=True, comment="Requests a window; null means the default limit"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When it was made"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True, comment="When it stops working; null means never"),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True, comment="When it was revoked"),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_keys_sha256")),
        comment="API keys, as hashes. Belongs in backups",
    )
    op.create_table(
        "partition_builds",
        sa.Column("dataset", sa.Text(), nullable=False, comment="The derived table of the lake"),
        sa.Column("day", sa.Date(), nullable=False, comment="Its partition"),
        sa.Column("source_fingerprint", sa.Text(), nullable=True, comment="Hash of the source's files that it saw; null for none"),
        sa.Column("definition_version", sa.Text(), nullable=False, comment="Version of schemas, metrics and dimensions"),
        sa.Column("rows_in", sa.BigInteger(), nullable=False, comment="Rows read"),
        sa.Column("rows_out", sa.BigInteger(), nullable=False, comment="Rows written"),
        sa.Column("rows_quarantined", sa.BigInteger(), nullable=False, comment="Rows that failed a rule"),
        sa.Column("rows_superseded", sa.BigInteger(), nullable=False, comment="Rows that a newer send replaced"),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False, comment="When it was built"),
        sa.PrimaryKeyConstraint("dataset", "day", name=op.f("pk_partition_builds")),
        comment="The last build of each partition of the derived tables: what it saw, and what it made of it",
    )
    op.create_index("idx_sessions_content_id", "sessions", ["content_id"], unique=False, postgresql_where=sa.text("content_id IS NOT NULL"))
    op.create_index("idx_sessions_errors", "sessions", ["error_count", sa.literal_column("timestamp DESC")], unique=False, postgresql_where=sa.text("error_count > 0"))
    op.create_index("idx_sessions_player_startup", "sessions", ["player_startup_ms"], unique=False, postgresql_where=sa.text("player_startup_ms IS NOT NULL"))
    op.create_index("idx_sessions_stream_type", "sessions", ["stream_type"], unique=False, postgresql_where=sa.text("stream_type IS NOT NULL"))
    op.create_index("idx_sessions_timestamp", "sessions", [sa.literal_column("timestamp DESC")], unique=False)
    op.execute("CREATE TABLE sessions_default PARTITION OF sessions DEFAULT")


def downgrade() -> None:
    op.drop_table("partition_builds")
    op.drop_table("api_keys")
    op.drop_table("quarantine")
    op.drop_table("sessions")
    op.drop_table("session_keys")
