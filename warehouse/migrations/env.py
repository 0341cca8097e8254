"""How Alembic reaches the database: over the connection it is handed, else the one that the environment names."""

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.sql.schema import SchemaItem

from warehouse.landing.partitions import is_partition
from warehouse.postgres import open_database
from warehouse.settings import StorageSettings
from warehouse.tables import METADATA

VERSION_TABLE = "playhead_schema"
"""Not Alembic's default name: Dagster, which may share the database, uses that."""


def _include(item: SchemaItem, name: str | None, kind: str, reflected: bool, _compared: SchemaItem | None) -> bool:
    """Leave out the partitions of `sessions`: they are made as the data asks for them."""
    table = getattr(item, "table", None)
    owner = table.name if table is not None else name
    return not (reflected and kind in {"table", "index", "unique_constraint"} and is_partition(str(owner)))


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        version_table=VERSION_TABLE,
        include_object=_include,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed = context.config.attributes.get("connection")
if handed is not None:
    _migrate(handed)
else:
    with open_database(StorageSettings.from_environ(), migrate=False) as database, database.engine.begin() as opened:
        _migrate(opened)
