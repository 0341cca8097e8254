"""What was forgotten, and the receipts of it."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of what was forgotten"),
        sa.Column("kind", sa.Text(), nullable=False, comment="session, identity (one session of a user), user, or body (sent to the tracker, or a chat message)"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="Hash of kind, tenant and id; the id is not kept"),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False, comment="When: of a user, sessions that began before are gone"),
        sa.PrimaryKeyConstraint("tenant", "kind", "sha256", name=op.f("pk_tombstones")),
        comment="What must not come back by a resend, a replay or a rebuild. Belongs in backups",
    )
    op.create_table(
        "erasures",
        sa.Column("receipt", sa.UUID(), nullable=False, comment="Number of the receipt"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Owner of what was forgotten"),
        sa.Column("kind", sa.Text(), nullable=False, comment="session or user"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False, comment="Hash of what was forgotten, as in tombstones"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, comment="When it was asked for"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True, comment="When nothing was left; null while it must be gone on with"),
        sa.Column("counts", postgresql.JSONB(), nullable=False, comment="Rows that went, by place"),
        sa.PrimaryKeyConstraint("receipt", name=op.f("pk_erasures")),
        comment="Receipts of what was forgotten, without personal data. Belongs in backups",
    )


def downgrade() -> None:
    op.drop_table("erasures")
    op.drop_table("tombstones")
