"""Fixtures that several integration tests share; those of everybody are one folder up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.conftest import fresh_database
from tests.integration import populated
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store


@pytest.fixture(scope="session")
def populated_home(
    server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[populated.Template]:
    """A home with every kind of landed data; see `populated`."""
    home = tmp_path_factory.mktemp("populated") / "home"
    with fresh_database(server_url, template) as url:
        with open_store(StorageSettings(home=home, lake_url=str(home / "lake"), database_url=url, pool_min=1)) as store:
            populated.fill(store)
        assert url.database is not None
        yield populated.Template(server_url, url.database, home)


@pytest.fixture
def governed(populated_home: populated.Template, tmp_path: Path) -> Iterator[Store]:
    """A store on a copy of that home."""
    with populated_home.copied(tmp_path / "home") as store:
        yield store
