"""What assets are handed: the opened store. Nothing is opened at import or at definition time."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from warehouse.store import Store, open_store


@dg.resource(description="Settings, database and lake of PLAYHEAD_HOME")
@contextmanager
def environment_store(_context: dg.InitResourceContext) -> Iterator[Store]:
    """Open the store that the environment names, for as long as a run or tick lasts."""
    with open_store(migrate=False) as store:
        yield store
