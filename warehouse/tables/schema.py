"""What all Postgres tables share: their registry with its naming convention, and the type of an instant."""

from sqlalchemy import DateTime, MetaData

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
    }
)
INSTANT = DateTime(timezone=True)
