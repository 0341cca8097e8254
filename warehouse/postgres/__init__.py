"""The opened database: engine, pool and migrations, on the embedded server where no other is named.

Which server is named is read in `warehouse.settings`; how the embedded one lives is in `warehouse.postgres.embedded`.
No statement on a table belongs here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import cast

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Engine, create_engine, text

from warehouse.landing import partitions
from warehouse.postgres import embedded
from warehouse.settings import StorageSettings

CONNECT_S = 5
"""How long a server may take to answer a new connection."""

_MIGRATION_LOCK = 0x506C6179_00000001


@dataclass(frozen=True)
class Database:
    """An opened database; closed by whoever opened it."""

    url: URL
    engine: Engine
    """A pool of connections, each with its transactions."""
    closed: Event = field(default_factory=Event, compare=False)
    """Set when it is closed: a connection that a thread still holds then is ended with its block."""

    @property
    def libpq_url(self) -> str:
        """The URL with its password, as psycopg, psql and Dagster take it."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """Lend a psycopg connection of the pool, in autocommit mode; whatever it left open is rolled back."""
        pooled = self.engine.raw_connection()
        try:
            connection = cast("psycopg.Connection", pooled.driver_connection)
            connection.autocommit = True
            try:
                yield connection
            finally:
                if connection.closed or self.closed.is_set():
                    pooled.invalidate()
                else:
                    connection.rollback()
                    connection.autocommit = False
        finally:
            pooled.close()


@contextmanager
def open_database(settings: StorageSettings, *, migrate: bool = True) -> Iterator[Database]:
    """Open the database that the settings name, or the embedded one; migrate it first; close it afterwards.

    With `migrate`, raises `sqlalchemy.exc.OperationalError` when a named server cannot be reached; without, nothing is
    asked of it yet. Raises `warehouse.postgres.server.ServerError` or
    `warehouse.postgres.privileges.PrivilegeError` when the embedded one cannot run.
    """
    if settings.database_url is None:
        with embedded.running(settings.home) as url, _opened(settings, url, migrate) as database:
            yield database
    else:
        with _opened(settings, settings.database_url, migrate) as database:
            yield database


@contextmanager
def _opened(settings: StorageSettings, url: URL, migrate: bool) -> Iterator[Database]:
    size = max(settings.pool_min, 1)
    engine = create_engine(
        url,
        connect_args={"connect_timeout": CONNECT_S},
        pool_size=size,
        max_overflow=max(settings.pool_max - size, 0),
        pool_pre_ping=True,
        pool_timeout=30,
    )
    database = Database(url, engine)
    try:
        if migrate:
            prepare(database, settings)
        yield database
    finally:
        database.closed.set()
        engine.dispose()


def prepare(database: Database, settings: StorageSettings) -> None:
    """Migrate, and make the partitions of the months to come. Raises what Postgres raises; repeating it is harmless."""
    upgrade(database.engine)
    with database.connect() as connection:
        partitions.ensure(connection, partitions.ahead(settings.now().date()))


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest migration, in one transaction; one process at a time."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
