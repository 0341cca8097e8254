"""What assets are handed: the opened store, the providers' keys. Nothing is opened at import or at definition time."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from warehouse.providers.settings import ProviderSettings, read_provider_settings
from warehouse.store import Store, open_store


@dg.resource(description="Settings, database and lake of PLAYHEAD_HOME")
@contextmanager
def environment_store(_context: dg.InitResourceContext) -> Iterator[Store]:
    """Open the store that the environment names, for as long as a run or tick lasts."""
    with open_store(migrate=False) as store:
        yield store


@dg.resource(description="Keys and origins of the metadata providers")
def environment_providers(_context: dg.InitResourceContext) -> ProviderSettings:
    """Read the environment and the secrets file."""
    return read_provider_settings()
