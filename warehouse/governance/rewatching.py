"""The watches of Postgres and their sums, made from raw: compared with what is there, and mended.

What raw comes to is computed in `warehouse.metrics`, as for the lake; sessions are replayed in
`warehouse.governance.replaying`.
"""

from collections.abc import Callable, Iterable, Iterator

import polars as pl
import psycopg
from psycopg import sql

from warehouse.datasets.dataset import Dataset
from warehouse.datasets.watches import RAW_METADATA, RAW_WATCHES
from warehouse.governance.comparing import Difference, compare
from warehouse.landing import outbox, rows
from warehouse.metrics import watch_bodies
from warehouse.metrics.watch_descriptions import described, expanded, newest
from warehouse.providers import described as answers
from warehouse.store import Store
from warehouse.watches import progress_sums, watchers

AT_ONCE = 20_000
"""Rows that one statement writes."""

_KEYS = {
    "metadata": ("kind", "id"),
    "shows": ("tenant", "user_id", "folder"),
    "backfills": ("tenant", "user_id", "episode_id", "ingest_id"),
    "watches": watch_bodies.ITEM,
    "watchers": ("tenant", "user_id"),
    **progress_sums.KEYS,
}
"""The tables that raw comes to, and what identifies their rows."""

_UNTOLD = {"progress_titles": {"title_name"}}
"""What raw does not settle: of several names that an import gave a title, any may be kept."""

Keep = Callable[[Dataset, pl.DataFrame], pl.DataFrame]


def _all(_: Dataset, raw: pl.DataFrame) -> pl.DataFrame:
    return raw


def watches(store: Store, *, mend: bool, keep: Keep = _all) -> Iterator[Difference]:
    """Yield the tables that are not what the raw rows that `keep` keeps give; with `mend`, make them so.

    In one transaction, in which nobody's watches change: syncs wait meanwhile. Raises psycopg errors.
    """
    with store.database.connect() as connection, connection.transaction():
        watchers.lock_all(connection)
        raw = {dataset.name: keep(dataset, _raw(store, connection, dataset)) for dataset in (RAW_WATCHES, RAW_METADATA)}
        for table, expected in _expected(store, connection, raw).items():
            held = rows.fetch(connection, _query(table, expected.schema), {}, expected.schema)
            told = [name for name in expected.columns if name not in _UNTOLD.get(table, ())]
            yield from compare(table, _KEYS[table], held.select(told), expected.select(told))
            if mend:
                _mend(connection, table, held, expected, told)


def _raw(store: Store, connection: psycopg.Connection, dataset: Dataset) -> pl.DataFrame:
    """Return every raw row: first those on their way, then those that have arrived."""
    waiting = outbox.waiting(connection, dataset)
    return pl.concat([store.lake.read(dataset), waiting]).unique("ingest_id", maintain_order=True)


def _expected(store: Store, connection: psycopg.Connection, raw: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    bodies = raw[RAW_WATCHES.name]
    metadata = newest(answers.metadata(raw[RAW_METADATA.name]))
    backfills, shows = watch_bodies.backfills(bodies), watch_bodies.shows(bodies)
    found = watch_bodies.earliest(pl.concat([watch_bodies.watches(bodies), expanded(backfills, metadata)]))
    users = _users(store, connection, bodies)
    zones = {(tenant, user_id): zone for tenant, user_id, zone in users.iter_rows()}
    tables = {"metadata": metadata, "shows": shows, "backfills": backfills, "watches": found, "watchers": users}
    return tables | progress_sums.of(described(found, shows, metadata), zones)


def _users(store: Store, connection: psycopg.Connection, bodies: pl.DataFrame) -> pl.DataFrame:
    """Return the users of raw rows, with the time zone of their sums, or that of which they would be."""
    schema = pl.Schema({"tenant": pl.String(), "user_id": pl.String(), "time_zone": pl.String()})
    held = rows.fetch(connection, _query("watchers", schema), {}, schema)
    *own, (_, _, default) = watchers.zones(connection, store.settings.time_zone).iter_rows()
    profiles = pl.DataFrame(own, schema=schema, orient="row").rename({"time_zone": "own"})
    users = bodies.select("tenant", "user_id").unique().sort("tenant", "user_id")
    known = users.join(held, on=["tenant", "user_id"], how="left").join(profiles, on=["tenant", "user_id"], how="left")
    return known.select("tenant", "user_id", time_zone=pl.coalesce("time_zone", "own", pl.lit(default)))


def _mend(
    connection: psycopg.Connection, table: str, held: pl.DataFrame, expected: pl.DataFrame, told: Iterable[str]
) -> None:
    compared = list(told)
    gone = held.join(expected, on=compared, how="anti", nulls_equal=True).select(_KEYS[table])
    new = expected.join(held, on=compared, how="anti", nulls_equal=True)
    for part in gone.iter_slices(AT_ONCE):
        # Compared as text, for a join by IS NOT DISTINCT FROM would look at every pair.
        same = sql.SQL("ROW({})::text = ROW({})::text").format(
            rows.columns(part.schema, "held."), rows.columns(part.schema, "given.")
        )
        given = rows.recordset(part.schema)
        delete = sql.SQL("DELETE FROM {} AS held USING {} WHERE {}").format(sql.Identifier(table), given, same)
        connection.execute(delete, rows.parameter(part))
    for part in new.iter_slices(AT_ONCE):
        names = sql.SQL(", ").join(map(sql.Identifier, part.columns))
        insert = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
        given = rows.recordset(part.schema)
        connection.execute(insert.format(sql.Identifier(table), names, names, given), rows.parameter(part))


def _query(table: str, schema: pl.Schema) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {}").format(rows.columns(schema), sql.Identifier(table))
