"""The opened database: what becomes of connections that are lent."""

from contextlib import ExitStack

from warehouse.postgres import open_database
from warehouse.settings import StorageSettings


def test_a_connection_that_outlives_the_database_is_ended_with_its_block(storage: StorageSettings) -> None:
    with ExitStack() as outliving:
        with open_database(storage) as database:
            held = outliving.enter_context(database.connect())
        assert held.execute("SELECT 1").fetchone() == (1,)
    assert held.closed
