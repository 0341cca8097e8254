"""Rebuilding everything that is derived from raw alone, and proving that it equals what is there.

Tables of the lake are computed anew and compared; what Postgres alone holds is made in `replaying` (what the journal
brought) and `rewatching` (watches, metadata and their sums).
Control tables are not touched, bases of frozen days are kept. No call leaves the machine.
"""

from collections.abc import Callable, Iterator

import polars as pl
from psycopg import sql

from warehouse import building
from warehouse.building import publishing
from warehouse.datasets import Dataset
from warehouse.derivations import DERIVATIONS, Derivation, producers
from warehouse.governance import replaying, rewatching
from warehouse.governance.comparing import Difference, compare
from warehouse.store import Store
from warehouse.tables import PUBLISHED


def _settled() -> None:
    """Nothing lands, so everything is in raw."""


def verify(store: Store, settle: Callable[[], object] = _settled) -> Iterator[Difference]:
    """Compare everything derived with what raw gives; yield each day that differs, change nothing.

    Days that a refresh has yet to build are left out. `settle` brings everything that has landed into raw; without it
    nothing may land meanwhile.
    """
    yield from replaying.landed(store, settle, mend=False)
    yield from rewatching.watches(store, mend=False)
    for step in DERIVATIONS:
        yield from _computed(store, step)
        for target in step.targets:
            if target.name in PUBLISHED:
                held, expected = _published(store, target), store.lake.read(target)
                yield from compare(f"{target.name} in Postgres", target.key, held, expected)


def _computed(store: Store, step: Derivation) -> Iterator[Difference]:
    for days in building.portions(store, step, building.all_days(store, step)):
        with building.lock(store, step) as connection:
            frames = building.compute(store, connection, step, days).frames
            held = {target.name: store.lake.read(target, days=days) for target in step.targets}
            # Looked for afterwards: what has landed since the rows were read is among it.
            stale = set(building.stale_days(store, step, *producers(step)))
        for target in step.targets:
            for difference in compare(target.name, target.key, held[target.name], frames[target.name]):
                if not {difference.day, building.WHOLE} & stale:
                    yield difference


def rebuild(store: Store, settle: Callable[[], object] = _settled) -> Iterator[Difference]:
    """Make everything derived what raw gives; yield what had differed of what Postgres alone holds. As `verify`."""
    yield from replaying.landed(store, settle, mend=True)
    yield from rewatching.watches(store, mend=True)
    for step in DERIVATIONS:
        with store.database.connect() as connection:
            publishing.forget(connection, step.targets)
        building.build(store, step, building.all_days(store, step))


def frozen(store: Store, tenant: str | None = None) -> dict[str, int]:
    """Return the bases that are kept, of all or of one tenant, with their number of days."""
    wanted = pl.lit(value=True) if tenant is None else pl.col("tenant") == tenant
    days = {
        base.name: store.lake.read(base, lambda rows: rows.filter(wanted).select("day").unique()).height
        for step in DERIVATIONS
        for base in step.bases
    }
    return {name: count for name, count in days.items() if count}


def _published(store: Store, target: Dataset) -> pl.DataFrame:
    schema = target.schema()
    with store.database.connect() as connection:
        names = sql.SQL(", ").join(map(sql.Identifier, schema))
        query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(target.name))
        rows = connection.execute(query).fetchall()
    return pl.DataFrame(rows, schema=schema, orient="row")
