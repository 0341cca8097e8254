"""A tracker on a free port, at a fixed clock, with providers that are real HTTP servers where a test has some."""

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from sqlalchemy import URL

from ingest.settings import IngestSettings
from tests.integration.endpoint import SETTINGS, serving
from tests.integration.provider_stubs import Providers, answering
from warehouse.access.users import HASHER
from warehouse.postgres import Database, open_database
from warehouse.settings import StorageSettings

NOW = datetime(2026, 3, 18, 1, 30, tzinfo=UTC)
"""A Wednesday, 14:30 in Auckland."""

ALICE, BOB = ("alice", "password"), ("bob", "password")
_NEWCOMERS = [(f"newcomer {number}", "password") for number in range(40)]
_HASH = HASHER.hash("password")


@contextmanager
def tracking(
    storage: StorageSettings, providers: Providers | None = None, now: datetime | None = NOW, **changes: Any
) -> Iterator[httpx.Client]:
    """Serve; yield a client of alice."""
    given: dict[str, Any] = {} if providers is None else {"providers": providers.settings()}
    hashes = {name: _HASH for name, _ in (ALICE, BOB, *_NEWCOMERS)}
    settings: IngestSettings = dataclasses.replace(SETTINGS, users=hashes, enrich_s=2.0, **given | changes)
    with serving(dataclasses.replace(storage, fixed_now=now), settings) as client:
        client.headers.pop("X-API-Key")
        client.auth = ALICE
        yield client


class Watcher(httpx.Client):
    """A client of a user who has watched nothing yet."""

    name: str


class Tracker:
    """One tracker for the tests of a module, each with users of its own."""

    def __init__(self, base_url: httpx.URL, storage: StorageSettings, database: Database, providers: Providers) -> None:
        self.storage = storage
        self.database = database
        self.providers = providers
        self.opened: list[Watcher] = []
        self._base_url = base_url
        self._newcomers = iter(_NEWCOMERS)

    def watcher(self) -> Watcher:
        """Return another user's client."""
        auth = next(self._newcomers)
        client = Watcher(base_url=self._base_url, auth=auth, timeout=30)
        client.name = auth[0]
        self.opened.append(client)
        return client

    def rows(self, table: str, watcher: Watcher) -> int:
        """Return how many rows of a table a user has."""
        with self.database.connect() as connection:
            return connection.execute(f"SELECT FROM {table} WHERE user_id = %s".encode(), (watcher.name,)).rowcount


@contextmanager
def open_tracker(server_url: URL, template: str, home: Path) -> Iterator[Tracker]:
    """Serve from a database of its own."""
    name = f"tracker_{uuid.uuid4().hex}"
    maintenance = server_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        url = server_url.set(database=name)
        storage = StorageSettings(home=home, lake_url=str(home / "lake"), database_url=url, pool_max=10, pool_min=1)
        with answering() as providers, open_database(storage) as database, tracking(storage, providers) as client:
            tracker = Tracker(client.base_url, storage, database, providers)
            yield tracker
            for opened in tracker.opened:
                opened.close()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def series(name: str, minutes: int | None = 24) -> dict[str, Any]:
    """Return TVDB's answer for a series."""
    data = {"name": name, "image": f"https://art.example/{name}.jpg", "averageRuntime": minutes}
    return {"status": "success", "data": data}


def movie(name: str, minutes: int | None = 90) -> dict[str, Any]:
    """Return TVDB's answer for a movie."""
    return {"status": "success", "data": {"name": name, "image": f"https://art.example/{name}.jpg", "runtime": minutes}}


def files(folder: str, *names: str) -> dict[str, Any]:
    """Return the body of `POST /sync`."""
    return {"episodes": [{"folder_name": folder, "file_name": name} for name in names]}
