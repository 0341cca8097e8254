"""The Postgres tables of incidents, and of what the webhook is told of them.

Rows are written by `warehouse.incidents.finding` and `webhooks`.
"""

from sqlalchemy import BigInteger, Column, Double, Identity, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from warehouse.tables.schema import INSTANT, METADATA

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("incident_id", UUID, primary_key=True, comment="Follows from slice, metric and first known start"),
    Column("tenant", Text, nullable=False, comment="Whose viewers"),
    Column("dimension", Text, nullable=False, comment="'all', 'content' or a configured dimension"),
    Column("value", Text, comment="Value of a configured dimension"),
    Column("content_id", Text, comment="Content, of a content slice"),
    Column("stream_type", Text, comment="Stream type, of a content slice"),
    Column("metric", Text, nullable=False, comment="failure_pct, rebuffer_pct_play or startup_ms"),
    Column("state", Text, nullable=False, comment="open, resolved, or withdrawn: later data tells of none"),
    Column("started_at", INSTANT, nullable=False, comment="Begin of the first raised step"),
    Column("ended_at", INSTANT, comment="End of the last raised step; null while it lasts"),
    Column("detected_at", INSTANT, nullable=False, comment="End of the step by which it could be known"),
    Column("peak", Double, nullable=False, comment="The most surprising value, in the metric's unit"),
    Column("low", Double, comment="Lower end of the 95 % interval of the peak"),
    Column("high", Double, comment="Upper end of the 95 % interval of the peak"),
    Column("baseline", Double, nullable=False, comment="What was expected then, in the metric's unit"),
    Column("n", BigInteger, nullable=False, comment="Sessions that the peak is of"),
    Column("sessions", BigInteger, nullable=False, comment="Sessions of the slice since the start"),
    Column("share", Double, nullable=False, comment="Their share of the tenant's sessions, 0-1"),
    Column("score", Double, nullable=False, comment="Distance from the expectation, standard deviations"),
    Column("severity", Text, nullable=False, comment="minor, major or critical"),
    Column("also", ARRAY(Text), nullable=False, comment="Other slices that tell of the same incident"),
    Column("causes", JSONB, nullable=False, comment="Dimension values that explain it, surest first"),
    Column("seen_at", INSTANT, nullable=False, comment="When a run last found it"),
    Index("ix_incidents_tenant", "tenant", "metric", "started_at"),
    comment="Incidents in failures, rebuffering and startup. Derived from out and core; ids belong in backups",
)

INCIDENT_DELIVERIES = Table(
    "incident_deliveries",
    METADATA,
    Column("idempotency_key", Text, primary_key=True, comment="Incident, event and its number: the same in each try"),
    Column("position", BigInteger, Identity(always=True), nullable=False, comment="Order of the events"),
    Column("tenant", Text, nullable=False, comment="Whose incident"),
    Column("incident_id", UUID, nullable=False, comment="Which incident"),
    Column("event", Text, nullable=False, comment="opened or resolved"),
    Column("body", JSONB, nullable=False, comment="What is posted"),
    Column("queued_at", INSTANT, nullable=False, comment="When it happened"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Posts tried"),
    Column("error", Text, comment="Why the last one failed"),
    Column("delivered_at", INSTANT, comment="When the receiver took it; null until then"),
    comment="What the webhook is told of incidents, in order. Belongs in backups",
)

INCIDENT_TABLES = (INCIDENTS, INCIDENT_DELIVERIES)
"""All of them; every row is of a tenant."""
