"""A home that is filled once and copied for each test: what lands in it is up to the test files."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from tests.conftest import execute, fresh_database
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store


@dataclass(frozen=True)
class Prepared:
    """A filled home, closed."""

    server: URL
    database: str
    home: Path

    @contextmanager
    def copied(self, folder: Path, now: datetime | None = None) -> Iterator[Store]:
        """Open a copy, in which it is `now`."""
        with self._copy(folder) as copy, open_store(copy._settings(now), migrate=False) as store:
            yield store

    @contextmanager
    def changed(self, folder: Path, now: datetime, change: Callable[[Store], object]) -> Iterator["Prepared"]:
        """Make a copy that was changed when it was `now`."""
        with self._copy(folder) as copy:
            with open_store(copy._settings(now), migrate=False) as store:
                change(store)
            yield copy

    @contextmanager
    def _copy(self, folder: Path) -> Iterator["Prepared"]:
        name = f"test_{uuid.uuid4().hex}"
        execute(self.server, f'CREATE DATABASE "{name}" TEMPLATE "{self.database}"')
        shutil.copytree(self.home, folder)
        yield Prepared(self.server, name, folder)
        execute(self.server, f'DROP DATABASE "{name}" WITH (FORCE)')

    def _settings(self, now: datetime | None) -> StorageSettings:
        return replace(settings_of(self.home, self.server.set(database=self.database)), fixed_now=now)


@contextmanager
def prepared(server: URL, template: str, folder: Path, fill: Callable[[Store], None]) -> Iterator[Prepared]:
    """Fill a home in a folder, on a database of its own."""
    with fresh_database(server, template) as url:
        with open_store(settings_of(folder, url), migrate=False) as store:
            fill(store)
        yield Prepared(server, str(url.database), folder)


def settings_of(home: Path, url: URL) -> StorageSettings:
    """Return the settings of such a home; one dimension says as much of governance as many, and sooner."""
    return StorageSettings(
        home=home,
        lake_url=str(home / "lake"),
        database_url=url,
        pool_max=10,
        pool_min=1,
        dimensions={"app_version": "appVersion"},
    )
