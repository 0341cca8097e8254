"""Sums of watches, kept in the transactions that change them, so that reading progress does not grow with history.

They are what `warehouse.metrics.progress_daily` makes of the watches before and after a change, subtracted and added.
What changes watches is in `watching` and `describing`; the sums are read in `progress_reading`.
"""

from collections.abc import Mapping
from typing import LiteralString

import polars as pl
import psycopg

from warehouse.landing import rows
from warehouse.metrics.progress_daily import aggregate, by_instant
from warehouse.metrics.watches import place
from warehouse.watches.described_watches import describe, watches

_WATCHER = ("tenant", "user_id")
_SUMS = ("items", "watched_s")
_DAY = (*_WATCHER, "kind", "day", "language", "confidence")
_TITLE = (*_WATCHER, "kind", "title_id")
_INSTANT = (*_WATCHER, "watched_at")
_ADD: LiteralString = "items = held.items + excluded.items, watched_s = held.watched_s + excluded.watched_s"
_NAME: LiteralString = ", title_name = greatest(held.title_name, excluded.title_name)"
_TABLES: tuple[LiteralString, ...] = ("progress_days", "progress_titles", "progress_instants")
KEYS = dict(zip(_TABLES, (_DAY, _TITLE, _INSTANT), strict=True))
"""What identifies a sum, by table."""


def change(connection: psycopg.Connection, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Take the watches `before` out of the sums of their users and add those `after`, both as `describe` gives them.

    Each user must have sums, if of nothing: see `ensure`. Raises psycopg errors.
    """
    zones = _zones(connection, pl.concat([before, after]).select(_WATCHER).unique())
    removed, added = place(before, zones, ""), place(after, zones, "")
    daily = pl.concat([aggregate(removed).with_columns(-pl.col(_SUMS)), aggregate(added)])
    instants = pl.concat([by_instant(removed).with_columns(-pl.col(_SUMS)), by_instant(added)])
    sums = _by_table(daily, instants)
    rows.upsert(connection, "progress_days", sums["progress_days"], _DAY, _ADD)
    rows.upsert(connection, "progress_titles", sums["progress_titles"], _TITLE, _ADD + _NAME)
    rows.upsert(connection, "progress_instants", sums["progress_instants"], _INSTANT, _ADD)
    for tenant, user_id in removed.select(_WATCHER).unique().iter_rows():
        _delete(connection, tenant, user_id, " AND items = 0")


def of(watches: pl.DataFrame, zones: Mapping[tuple[str, str], str]) -> dict[str, pl.DataFrame]:
    """Return the rows of every table of sums that these watches, as `describe` gives them, come to."""
    placed = place(watches, zones, "")
    return _by_table(aggregate(placed), by_instant(placed))


def ensure(connection: psycopg.Connection, tenant: str, user_id: str, time_zone: str) -> None:
    """Make the user's sums those of this time zone, from all watches where they are not.

    To be called under `watchers.lock_user`. Raises psycopg errors.
    """
    if zone_of(connection, tenant, user_id) == time_zone:
        return
    _delete(connection, tenant, user_id)
    connection.execute(
        "INSERT INTO watchers VALUES (%s, %s, %s) ON CONFLICT (tenant, user_id) DO UPDATE SET time_zone = %s",
        (tenant, user_id, time_zone, time_zone),
    )
    held = watches(connection, "tenant = %(tenant)s AND user_id = %(user_id)s", tenant=tenant, user_id=user_id)
    change(connection, describe(connection, held.clear()), describe(connection, held))


def zone_of(connection: psycopg.Connection, tenant: str, user_id: str) -> str | None:
    """Return the time zone of the user's sums, None where there are none. Raises psycopg errors."""
    row = connection.execute(
        "SELECT time_zone FROM watchers WHERE tenant = %s AND user_id = %s", (tenant, user_id)
    ).fetchone()
    return None if row is None else str(row[0])


def _zones(connection: psycopg.Connection, users: pl.DataFrame) -> dict[tuple[str, str], str]:
    if users.is_empty():
        return {}
    rows_ = connection.execute(
        "SELECT tenant, user_id, time_zone FROM watchers JOIN unnest(%s::text[], %s::text[]) AS asked (tenant, user_id)"
        " USING (tenant, user_id)",
        (users["tenant"].to_list(), users["user_id"].to_list()),
    )
    return {(tenant, user_id): zone for tenant, user_id, zone in rows_}


def _by_table(daily: pl.DataFrame, instants: pl.DataFrame) -> dict[str, pl.DataFrame]:
    titles = daily.filter(pl.col("kind") != "movie")
    names = titles.group_by(_TITLE).agg(pl.col("title_name").filter(pl.col("items") > 0).max())
    return {
        "progress_days": _net(daily, _DAY),
        "progress_titles": _net(titles, _TITLE).join(names, on=_TITLE, nulls_equal=True),
        "progress_instants": _net(instants, _INSTANT),
    }


def _net(sums: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Return what is left of sums to add and to subtract, in the order in which all writers take the rows."""
    net = sums.group_by(key).agg(pl.col(_SUMS).sum())
    return net.filter((pl.col("items") != 0) | (pl.col("watched_s") != 0)).sort(key)


def _delete(connection: psycopg.Connection, tenant: str, user_id: str, condition: LiteralString = "") -> None:
    for table in _TABLES:
        statement: LiteralString = f"DELETE FROM {table} WHERE tenant = %s AND user_id = %s{condition}"  # noqa: S608
        connection.execute(statement, (tenant, user_id))
