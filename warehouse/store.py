"""The opened storage that everything else is handed: settings, database and lake, and what computes over them.

What is done with it belongs elsewhere: building partitions in `warehouse.building`, landing in `ingest`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from warehouse.datasets import definition_version
from warehouse.engines import POLARS, Engine
from warehouse.lake import Lake
from warehouse.postgres import Database, open_database
from warehouse.settings import StorageSettings


@dataclass(frozen=True)
class Store:
    """Settings, database and lake of one home, and the engine of its aggregates."""

    settings: StorageSettings
    database: Database
    lake: Lake
    engine: Engine = POLARS

    @property
    def definition_version(self) -> str:
        """The version of schemas, metrics and dimensions that partitions are built by."""
        return definition_version(self.settings.dimensions)


@contextmanager
def open_store(settings: StorageSettings | None = None, *, migrate: bool = True) -> Iterator[Store]:
    """Open the storage that the settings name, those of the environment by default; close it afterwards."""
    settings = settings or StorageSettings.from_environ()
    with open_database(settings, migrate=migrate) as database:
        yield Store(settings, database, Lake(settings.lake_url, settings.dimensions))
