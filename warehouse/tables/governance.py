"""The Postgres tables of what was forgotten: as hashes, and receipts without personal data.

Rows are written by `warehouse.landing.tombstones` and `warehouse.governance.forgetting`.
"""

from sqlalchemy import Column, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from warehouse.tables.schema import INSTANT, METADATA

TOMBSTONES = Table(
    "tombstones",
    METADATA,
    Column("tenant", Text, primary_key=True, comment="Owner of what was forgotten"),
    Column(
        "kind",
        Text,
        primary_key=True,
        comment="session, identity (one session of a user), user, or body (sent to the tracker, or a chat message)",
    ),
    Column("sha256", LargeBinary, primary_key=True, comment="Hash of kind, tenant and id; the id is not kept"),
    Column("forgotten_at", INSTANT, nullable=False, comment="When: of a user, sessions that began before are gone"),
    comment="What must not come back by a resend, a replay or a rebuild. Belongs in backups",
)

ERASURES = Table(
    "erasures",
    METADATA,
    Column("receipt", UUID, primary_key=True, comment="Number of the receipt"),
    Column("tenant", Text, nullable=False, comment="Owner of what was forgotten"),
    Column("kind", Text, nullable=False, comment="session or user"),
    Column("sha256", LargeBinary, nullable=False, comment="Hash of what was forgotten, as in tombstones"),
    Column("asked_at", INSTANT, nullable=False, comment="When it was asked for"),
    Column("finished_at", INSTANT, comment="When nothing was left; null while it must be gone on with"),
    Column("counts", JSONB, nullable=False, comment="Rows that went, by place"),
    comment="Receipts of what was forgotten, without personal data. Belongs in backups",
)

GOVERNANCE_TABLES = (TOMBSTONES, ERASURES)
"""Those with rows of tenants."""
