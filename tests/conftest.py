"""Fixtures of everybody: a real PostgreSQL, a fresh migrated database a test, a lake in a folder of its own.

Fixtures of one subject belong in its test file.
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, create_engine

from warehouse import postgres
from warehouse.lake import Lake
from warehouse.postgres import Database, embedded, open_database
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

TEMPLATE = "playhead_template"


def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: a third of the time a test waits for a server, a window or a pause."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def server_url() -> Iterator[URL]:
    """An embedded server for the whole run; the URL names its maintenance database."""
    home = Path(tempfile.mkdtemp(prefix="playhead-"))
    try:
        with embedded.running(home / "home") as url:
            yield url.set(database="postgres")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def template(server_url: URL) -> str:
    """The name of a migrated database that tests are given copies of."""
    execute(server_url, f'CREATE DATABASE "{TEMPLATE}"')
    engine = create_engine(server_url.set(database=TEMPLATE))
    postgres.upgrade(engine)
    engine.dispose()
    return TEMPLATE


@pytest.fixture
def database_url(server_url: URL, template: str) -> Iterator[URL]:
    """The URL of a fresh, migrated, empty database."""
    with fresh_database(server_url, template) as url:
        yield url


@contextmanager
def fresh_database(server_url: URL, template: str) -> Iterator[URL]:
    """Make a database of the migrated template, and drop it afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield server_url.set(database=name)
    execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def storage(tmp_path: Path, database_url: URL) -> StorageSettings:
    """Settings of a home of its own, on the fresh database."""
    home = tmp_path / "home"
    return StorageSettings(home=home, lake_url=str(home / "lake"), database_url=database_url, pool_max=10, pool_min=1)


@pytest.fixture
def elsewhere(tmp_path: Path, server_url: URL, template: str) -> Iterator[StorageSettings]:
    """Settings of a second home, on a database of its own."""
    home = tmp_path / "elsewhere"
    with fresh_database(server_url, template) as url:
        yield StorageSettings(home=home, lake_url=str(home / "lake"), database_url=url, pool_max=10, pool_min=1)


@pytest.fixture
def database(storage: StorageSettings) -> Iterator[Database]:
    """The fresh database, opened."""
    with open_database(storage) as opened:
        yield opened


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    """A connection to the fresh database, in autocommit mode."""
    with database.connect() as connected:
        yield connected


@pytest.fixture
def store(storage: StorageSettings) -> Iterator[Store]:
    with open_store(storage) as opened:
        yield opened


@pytest.fixture
def lake(storage: StorageSettings) -> Lake:
    """The empty lake of the home."""
    return Lake(storage.lake_url, storage.dimensions)


def execute(url: URL, statement: str) -> None:
    libpq = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, autocommit=True) as connected:
        connected.execute(statement.encode())
