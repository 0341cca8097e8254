"""Landing of watches: a body becomes rows, sums and a raw row of the outbox, in one transaction.

What a body says is in `warehouse.metrics.watch_bodies`, whether it keeps its contract in `ingest.payloads`; what
providers say of the watches comes later, by `describing`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import polars as pl
import psycopg
from psycopg import sql
from uuid_utils import uuid7

from warehouse.datasets.watches import RAW_WATCHES
from warehouse.landing import outbox, rows, tombstones
from warehouse.metrics import watch_bodies
from warehouse.metrics.watch_bodies import BACKFILLS, ITEM, SHOWS, WATCHES
from warehouse.metrics.watch_descriptions import expanded
from warehouse.watches import described_watches, progress_sums, watchers
from warehouse.watches.described_watches import describe, podcasts_of

ANALYZED_FROM = 1_000
"""New items of one body from which the planner is told of them at once, not when Postgres gets to it."""

_FOLDER = ("tenant", "user_id", "folder")
_HELD: LiteralString = """
SELECT {columns} FROM {given} JOIN watches AS held USING (tenant, user_id, kind, folder, item)
UNION ALL
SELECT {columns} FROM {given} JOIN watches AS held USING (tenant, user_id, kind, item)
WHERE given.folder IS NULL AND held.folder IS NULL
"""


@dataclass(frozen=True)
class Landed:
    """What a body did."""

    added: int
    """Items that were not known before."""
    ingest_id: str
    """The body in raw_watches."""


def land(
    connection: psycopg.Connection,
    *,
    tenant: str,
    user_id: str,
    route: str,
    body: bytes,
    now: datetime,
    default_zone: str,
) -> Landed:
    """Land one accepted body: all of it or nothing.

    `route` is one of `RAW_WATCHES`; `now` is the arrival; `default_zone` bounds the days of users without a time zone.
    A body that was forgotten does nothing. The connection must not be in a transaction. Raises psycopg errors.
    """
    ingest_id = str(uuid7())
    with connection.transaction():
        watchers.lock_user(connection, tenant, user_id)
        if tombstones.cover(connection, tombstones.sent(tenant, user_id, route, body.decode())):
            return Landed(0, ingest_id)
        profile = watchers.profile(connection, tenant, user_id)
        progress_sums.ensure(connection, tenant, user_id, profile.time_zone or default_zone)
        row = {
            "tenant": tenant,
            "user_id": user_id,
            "ingest_id": ingest_id,
            "received_at": now,
            "route": route,
            "time_zone": profile.time_zone,
            "language": profile.language,
            "payload": body.decode(),
        }
        raw = pl.DataFrame([row], schema=RAW_WATCHES.schema())
        outbox.put(connection, RAW_WATCHES, raw)
        backfills = watch_bodies.backfills(raw)
        rows.upsert(connection, "backfills", backfills, BACKFILLS.names()[:4], "language = excluded.language")
        watches = pl.concat([watch_bodies.watches(raw), _heard(connection, backfills)])
        added = write(connection, watch_bodies.earliest(watches), watch_bodies.shows(raw))
    if added >= ANALYZED_FROM:
        # Without statistics of the new rows the planner reads all of them for each item that comes next.
        connection.execute("ANALYZE watches, shows")
    return Landed(added, ingest_id)


def count(connection: psycopg.Connection, ingest_id: str) -> int:
    """Return the watches that a body brought, those included that followed from providers' answers."""
    row = connection.execute("SELECT count(*) FROM watches WHERE ingest_id = %s", (ingest_id,)).fetchone()
    return 0 if row is None else int(row[0])


def write(connection: psycopg.Connection, incoming: pl.DataFrame, shows: pl.DataFrame) -> int:
    """Bring watches and shows, as `watch_bodies` gives them, into the tables and the sums; return the new watches.

    Under the lock of their users, within its transaction.
    """
    held = _held(connection, incoming)
    both = watch_bodies.earliest(pl.concat([held, incoming]))
    new = both.join(held, on=[*ITEM, "ingest_id"], how="anti", nulls_equal=True)
    replaced = held.join(new, on=ITEM, how="semi", nulls_equal=True)
    changed_shows, in_folders = _changed_shows(connection, shows)
    kept = in_folders.join(new, on=ITEM, how="anti", nulls_equal=True)
    before = describe(connection, pl.concat([kept, replaced]))
    every: LiteralString = ", ".join(f"{name} = excluded.{name}" for name in WATCHES.names() if name not in ITEM)
    rows.upsert(connection, "watches", new, ITEM, every)
    of_show: LiteralString = ", ".join(f"{name} = excluded.{name}" for name in SHOWS.names() if name not in _FOLDER)
    rows.upsert(connection, "shows", changed_shows, _FOLDER, of_show)
    progress_sums.change(connection, before, describe(connection, pl.concat([kept, new])))
    return new.height - replaced.height


def _heard(connection: psycopg.Connection, backfills: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes that are known to be heard, for their podcasts were listed before."""
    podcasts = podcasts_of(connection, backfills["episode_id"].to_list())
    _, episodes = described_watches.podcasts(connection, podcasts)
    return expanded(backfills, episodes)


def _held(connection: psycopg.Connection, incoming: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the same items."""
    given = incoming.select(ITEM)
    query = sql.SQL(_HELD).format(columns=rows.columns(WATCHES, "held."), given=rows.recordset(given.schema))
    return rows.fetch(connection, query, rows.parameter(given), WATCHES)


def _changed_shows(connection: psycopg.Connection, shows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of `shows` that hold from now on, and the watches of folders that become another series."""
    folders = shows.select(_FOLDER)
    given = rows.recordset(folders.schema)
    query = sql.SQL("SELECT {} FROM {} JOIN shows AS held USING (tenant, user_id, folder)")
    held = rows.fetch(connection, query.format(rows.columns(SHOWS, "held."), given), rows.parameter(folders), SHOWS)
    changed = watch_bodies.settled(pl.concat([held, shows])).join(held, on=[*_FOLDER, "ingest_id"], how="anti")
    renamed = changed.join(held, on=[*_FOLDER, "tvdb_id"], how="anti", nulls_equal=True).join(
        held, on=_FOLDER, how="semi"
    )
    if renamed.is_empty():
        return changed, pl.DataFrame(schema=WATCHES)
    episodes = sql.SQL(
        "SELECT {} FROM {} JOIN watches AS held USING (tenant, user_id, folder) WHERE held.kind = 'episode'"
    )
    found = episodes.format(rows.columns(WATCHES, "held."), given)
    return changed, rows.fetch(connection, found, rows.parameter(renamed.select(_FOLDER)), WATCHES)
