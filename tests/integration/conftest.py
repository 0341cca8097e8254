"""Fixtures that several integration tests share; those of everybody are one folder up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from tests.integration import populated
from tests.integration.prepared import Prepared, prepared
from warehouse.store import Store


@pytest.fixture(scope="session")
def populated_home(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A home with every kind of landed data."""
    with prepared(server_url, template, tmp_path_factory.mktemp("populated") / "home", populated.fill) as made:
        yield made


@pytest.fixture
def governed(populated_home: Prepared, tmp_path: Path) -> Iterator[Store]:
    """A store on a copy of that home, in which it is `populated.NOW`."""
    with populated_home.copied(tmp_path / "home", populated.NOW) as store:
        yield store
