"""Every Postgres table, with a comment on each column; those of keys and users, watches, incidents, live streams and
forgetting are in `access_tables`, `watch_tables`, `incident_tables`, `live_tables` and `governance_tables`.

They are written nowhere else besides the migrations. The published tables take their columns from the datasets.
Monthly partitions of `sessions` are made in `warehouse.landing.partitions`; rows are written by `warehouse.landing`,
`builds` and `publishing`.
"""

from typing import Any, cast

import polars as pl
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.types import TypeEngine

from warehouse.datasets import (
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HOURLY,
    Dataset,
)
from warehouse.datasets.events import CORE_WATCHED_SECONDS, OUT_ENGAGEMENT
from warehouse.datasets.live import OUT_CHAT_MINUTE, OUT_MOMENTS
from warehouse.datasets.watches import OUT_PROGRESS_DAILY
from warehouse.tables.access import ACCESS_TABLES
from warehouse.tables.governance import GOVERNANCE_TABLES
from warehouse.tables.incidents import INCIDENT_TABLES
from warehouse.tables.live import LIVE_TABLES
from warehouse.tables.schema import INSTANT as INSTANT
from warehouse.tables.schema import METADATA as METADATA
from warehouse.tables.watches import WATCH_TABLES


def _identity() -> list[Column[object]]:
    return [
        Column("tenant", Text, nullable=False, comment="Owner of the data"),
        Column("session_id", String(128), nullable=False, comment="The client's id; a numeric one as its digits"),
        Column("identity_at", INSTANT, comment="For numeric ids, the start that is part of their identity; else null"),
    ]


SESSION_KEYS = Table(
    "session_keys",
    METADATA,
    *_identity(),
    Column("started_at", INSTANT, nullable=False, comment="Placement of the session's first arrival"),
    UniqueConstraint(
        "tenant", "session_id", "identity_at", name="uq_session_keys_identity", postgresql_nulls_not_distinct=True
    ),
    comment="Where every session was placed by its first arrival, so that a resend finds its row. Belongs in backups",
)

SESSIONS = Table(
    "sessions",
    METADATA,
    *_identity(),
    Column("started_at", INSTANT, nullable=False, comment="Placement of the session's first arrival; partition key"),
    Column(
        "timestamp",
        INSTANT,
        nullable=False,
        comment="The client's time of the newest send, or start + duration",
    ),
    Column("content_id", String(256), comment="What was played"),
    Column("stream_type", String(16), comment="dash, hls, progressive, ..."),
    Column("session_duration_ms", Integer, comment="From session start to end, ms"),
    Column("player_startup_ms", Integer, comment="From play request to first frame, ms; null when either never came"),
    Column("play_time_ms", Integer, comment="Time in the playing state, ms"),
    Column("rebuffer_time_ms", Integer, comment="Time stalled after the first frame, ms; null when not measured"),
    Column("rebuffer_count", Integer, comment="Stalls, also those while paused"),
    Column("rebuffer_ratio", Double, comment="The SDK's own ratio, 0-1, as sent: 0 also where nothing was measured"),
    Column("seek_time_ms", Integer, comment="Time seeking, ms"),
    Column("seek_count", Integer, comment="Seeks"),
    Column("dropped_frames", Integer, comment="Dropped video frames"),
    Column("mean_bitrate_bps", Integer, comment="Mean video bitrate while playing, bit/s, as sent: -1 when unknown"),
    Column("error_count", Integer, comment="Fatal errors; null when not measured"),
    Column("clock_suspect", Boolean, nullable=False, comment="The claimed start cannot be right; placed by arrival"),
    Column("payload", JSONB, comment="The newest send as it came"),
    Column("created_at", INSTANT, nullable=False, server_default=text("now()"), comment="Arrival of the newest send"),
    Column("ingest_id", UUID, nullable=False, comment="The newest send in raw_sessions of the lake"),
    UniqueConstraint(
        "tenant",
        "session_id",
        "identity_at",
        "started_at",
        name="uq_sessions_identity",
        postgresql_nulls_not_distinct=True,
    ),
    comment="One row a session: its newest send, that is the greatest (timestamp, created_at, ingest_id)",
    postgresql_partition_by="RANGE (started_at)",
)
_AT = SESSIONS.c["timestamp"]
Index("idx_sessions_timestamp", _AT.desc())
for _name, _column in (
    ("idx_sessions_content_id", SESSIONS.c.content_id),
    ("idx_sessions_stream_type", SESSIONS.c.stream_type),
    ("idx_sessions_player_startup", SESSIONS.c.player_startup_ms),
):
    Index(_name, _column, postgresql_where=text(f"{_column.name} IS NOT NULL"))
Index("idx_sessions_errors", SESSIONS.c.error_count, _AT.desc(), postgresql_where=text("error_count > 0"))

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("ingest_id", UUID, primary_key=True, comment="The send in the raw table of the lake"),
    Column("tenant", Text, nullable=False, comment="Owner of the data"),
    Column("reason", Text, nullable=False, comment="Why Postgres refused the row"),
    Column("record", Text, nullable=False, comment="The landing record, JSON"),
    Column("quarantined_at", INSTANT, nullable=False, server_default=text("now()"), comment="When it was refused"),
    comment="Landed rows that Postgres refused, each with its reason",
)

PARTITION_BUILDS = Table(
    "partition_builds",
    METADATA,
    Column("dataset", Text, primary_key=True, comment="The derived table of the lake"),
    Column("day", Date, primary_key=True, comment="Its partition"),
    Column("source_fingerprint", Text, comment="Hash of the source's files that it saw; null for none"),
    Column("definition_version", Text, nullable=False, comment="Version of schemas, metrics and dimensions"),
    Column("rows_in", BigInteger, nullable=False, comment="Rows read"),
    Column("rows_out", BigInteger, nullable=False, comment="Rows written"),
    Column("rows_quarantined", BigInteger, nullable=False, comment="Rows that failed a rule"),
    Column("rows_superseded", BigInteger, nullable=False, comment="Rows that a newer send replaced"),
    Column("built_at", INSTANT, nullable=False, comment="When it was built"),
    comment="The last build of each partition of the derived tables: what it saw, and what it made of it",
)

PUBLISHED_DAYS = Table(
    "published_days",
    METADATA,
    Column("dataset", Text, primary_key=True, comment="The table, in the lake and here"),
    Column("day", Date, primary_key=True, comment="Its partition"),
    Column("fingerprint", Text, nullable=False, comment="Hash of the lake's files whose rows are published"),
    comment="What was published of each day, so that publishing it again writes only what differs",
)


def _sql_type(dtype: pl.DataType) -> TypeEngine[Any]:
    if isinstance(dtype, pl.List):
        return ARRAY(_sql_type(cast("pl.DataType", dtype.inner)))
    types: dict[type[pl.DataType], TypeEngine[Any]] = {
        pl.String: Text(),
        pl.Int64: BigInteger(),
        pl.Int32: Integer(),
        pl.Float64: Double(),
        pl.Boolean: Boolean(),
        pl.Date: Date(),
        pl.Datetime: INSTANT,
    }
    return types[type(dtype)]


def _published(dataset: Dataset) -> Table:
    columns = [
        Column(name, _sql_type(dtype), nullable=name not in {"day", "hour", "tenant"}, comment=comment)
        for name, (dtype, comment) in dataset.columns.items()
    ]
    key = UniqueConstraint(*dataset.key, name=f"uq_{dataset.name}_key", postgresql_nulls_not_distinct=True)
    return Table(dataset.name, METADATA, *columns, key, comment=dataset.comment)


PUBLISHED = {
    dataset.name: _published(dataset)
    for dataset in (
        OUT_QOE_DAILY,
        OUT_QOE_HISTOGRAM_DAILY,
        OUT_QOE_HOURLY,
        OUT_QOE_HISTOGRAM_HOURLY,
        OUT_PROGRESS_DAILY,
        OUT_CHAT_MINUTE,
        OUT_MOMENTS,
        CORE_WATCHED_SECONDS,
        OUT_ENGAGEMENT,
    )
}
"""Postgres tables that hold the same rows as the lake table of the same name."""

TENANTED = (
    *(SESSIONS, SESSION_KEYS, QUARANTINE),
    *ACCESS_TABLES,
    *WATCH_TABLES,
    *LIVE_TABLES,
    *INCIDENT_TABLES,
    *GOVERNANCE_TABLES,
    *PUBLISHED.values(),
)
"""Every table with rows of tenants."""
