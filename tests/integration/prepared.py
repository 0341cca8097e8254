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
        name = f"test_{uuid.uuid4().hex}"
        execute(self.server, f'CREATE DATABASE "{name}" TEMPLATE "{self.database}"')
        shutil.copytree(self.home, folder)
        with open_store(
            replace(settings_of(folder, self.server.set(database=name)), fixed_now=now), migrate=False
        ) as store:
            yield store
        execute(self.server, f'DROP DATABASE "{name}" WITH (FORCE)')


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
