"""Incidents, and what was told of them."""

# One column a line, as Alembic writes them.
# ruff: noqa: E501
# fmt: off

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.UUID(), nullable=False, comment="Follows from slice, metric and first known start"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Whose viewers"),
        sa.Column("dimension", sa.Text(), nullable=False, comment="'all', 'content' or a configured dimension"),
        sa.Column("value", sa.Text(), nullable=True, comment="Value of a configured dimension"),
        sa.Column("content_id", sa.Text(), nullable=True, comment="Content, of a content slice"),
        sa.Column("stream_type", sa.Text(), nullable=True, comment="Stream type, of a content slice"),
        sa.Column("metric", sa.Text(), nullable=False, comment="failure_pct, rebuffer_pct_play or startup_ms"),
        sa.Column("state", sa.Text(), nullable=False, comment="open, resolved, or withdrawn: later data tells of none"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="Begin of the first raised step"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="End of the last raised step; null while it lasts"),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False, comment="End of the step by which it could be known"),
        sa.Column("peak", sa.Double(), nullable=False, comment="The most surprising value, in the metric's unit"),
        sa.Column("low", sa.Double(), nullable=True, comment="Lower end of the 95 % interval of the peak"),
        sa.Column("high", sa.Double(), nullable=True, comment="Upper end of the 95 % interval of the peak"),
        sa.Column("baseline", sa.Double(), nullable=False, comment="What was expected then, in the metric's unit"),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="Sessions that the peak is of"),
        sa.Column("sessions", sa.BigInteger(), nullable=False, comment="Sessions of the slice since the start"),
        sa.Column("share", sa.Double(), nullable=False, comment="Their share of the tenant's sessions, 0-1"),
        sa.Column("score", sa.Double(), nullable=False, comment="Distance from the expectation, standard deviations"),
        sa.Column("severity", sa.Text(), nullable=False, comment="minor, major or critical"),
        sa.Column("also", postgresql.ARRAY(sa.Text()), nullable=False, comment="Other slices that tell of the same incident"),
        sa.Column("causes", postgresql.JSONB(), nullable=False, comment="Dimension values that explain it, surest first"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="When a run last found it"),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incidents")),
        comment="Incidents in failures, rebuffering and startup. Derived from out and core; ids belong in backups",
    )
    op.create_index("ix_incidents_tenant", "incidents", ["tenant", "metric", "started_at"])
    op.create_table(
        "incident_deliveries",
        sa.Column("idempotency_key", sa.Text(), nullable=False, comment="Incident, event and its number: the same in each try"),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Order of the events"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="Whose incident"),
        sa.Column("incident_id", sa.UUID(), nullable=False, comment="Which incident"),
        sa.Column("event", sa.Text(), nullable=False, comment="opened or resolved"),
        sa.Column("body", postgresql.JSONB(), nullable=False, comment="What is posted"),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False, comment="When it happened"),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Posts tried"),
        sa.Column("error", sa.Text(), nullable=True, comment="Why the last one failed"),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True, comment="When the receiver took it; null until then"),
        sa.PrimaryKeyConstraint("idempotency_key", name=op.f("pk_incident_deliveries")),
        comment="What the webhook is told of incidents, in order. Belongs in backups",
    )


def downgrade() -> None:
    op.drop_table("incident_deliveries")
    op.drop_table("incidents")
