"""A user's progress as the database has it, at a given clock: what `GET /progress` and its relatives answer.

The numbers are those of `warehouse.metrics.progress`; here is where they are read from. The whole history comes from
sums, whose reading grows with days and titles; a range of days comes from its watches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

import polars as pl
import psycopg
from psycopg import sql

from warehouse.datasets.dataset import INSTANT
from warehouse.landing import rows
from warehouse.metrics import progress as metrics
from warehouse.metrics.progress_daily import aggregate, between
from warehouse.metrics.watches import place
from warehouse.settings import StorageSettings
from warehouse.watches import progress_sums, watchers
from warehouse.watches.described_watches import describe, watches

_EARLIEST, _LATEST = date(1900, 1, 1), date(9998, 12, 31)
"""Bounds of an open range, which every time zone can express."""

_OF_USER: LiteralString = "tenant = %(tenant)s AND user_id = %(user_id)s"
_DAYS = pl.Schema(
    {
        "kind": pl.String(),
        "day": pl.Date(),
        "language": pl.String(),
        "confidence": pl.String(),
        "items": pl.Int64(),
        "watched_s": pl.Int64(),
    }
)
_TITLES = pl.Schema(
    {
        "kind": pl.String(),
        "title_id": pl.String(),
        "title_name": pl.String(),
        "artwork_url": pl.String(),
        "items": pl.Int64(),
        "watched_s": pl.Int64(),
    }
)
_NAMED: LiteralString = """
SELECT sums.kind, title_id, coalesce(name, title_name), artwork_url, items, watched_s
FROM progress_titles AS sums LEFT JOIN metadata ON id = title_id AND metadata.kind =
    CASE sums.kind WHEN 'episode' THEN 'tvdb/series' WHEN 'youtube' THEN 'youtube/channel' ELSE 'spotify/show' END
WHERE tenant = %(tenant)s AND user_id = %(user_id)s
UNION ALL
SELECT 'movie', item, coalesce(name, title_name), artwork_url, 1, 0
FROM watches LEFT JOIN metadata ON id = coalesce(tvdb_id, tmdb_id)::text
    AND metadata.kind = CASE WHEN tvdb_id IS NULL THEN 'tmdb/movie' ELSE 'tvdb/movie' END
WHERE watches.kind = 'movie' AND tenant = %(tenant)s AND user_id = %(user_id)s
"""


@dataclass(frozen=True)
class View:
    """One user at one clock, within one snapshot of the database."""

    connection: psycopg.Connection
    user: dict[str, str]
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The user's local day."""
        return self.now.astimezone(self.zone).date()

    def days(self) -> pl.DataFrame:
        """Return [kind, day, language, confidence, items, watched_s] of every local day."""
        query = sql.SQL("SELECT {} FROM progress_days WHERE {}").format(rows.columns(_DAYS), sql.SQL(_OF_USER))
        return rows.fetch(self.connection, query, self.user, _DAYS)

    def watched(self, condition: LiteralString = "true", **params: object) -> pl.DataFrame:
        """Return core watches."""
        where: LiteralString = f"{_OF_USER} AND {condition}"
        held = watches(self.connection, where, **self.user, **params)
        return place(describe(self.connection, held), {}, self.zone.key)

    def one(self, query: LiteralString, **params: object) -> Any:
        """Return the value that a query of the user's rows gives."""
        row = self.connection.execute(query, self.user | params).fetchone()
        return None if row is None else row[0]


def progress(
    connection: psycopg.Connection,
    settings: StorageSettings,
    tenant: str,
    user_id: str,
    now: datetime,
    from_: date | None = None,
    to: date | None = None,
) -> metrics.Progress:
    """Return the tracker's progress, of all days or of the local days from `from_` to `to`, both included.

    The connection must not be in a transaction. Raises psycopg errors.
    """
    with viewing(connection, settings, tenant, user_id, now) as view:
        return whole(view) if from_ is None and to is None else _range(view, from_, to)


@contextmanager
def viewing(
    connection: psycopg.Connection, settings: StorageSettings, tenant: str, user_id: str, now: datetime
) -> Iterator[View]:
    """View a user in one snapshot, the sums being those of the time zone that the user has now."""
    while True:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            wanted = watchers.profile(connection, tenant, user_id).time_zone or settings.time_zone
            if progress_sums.zone_of(connection, tenant, user_id) in {None, wanted}:
                user = {"tenant": tenant, "user_id": user_id}
                yield View(connection, user, now, ZoneInfo(wanted))
                return
        with connection.transaction():
            watchers.lock_user(connection, tenant, user_id)
            progress_sums.ensure(connection, tenant, user_id, wanted)


def whole(view: View) -> metrics.Progress:
    """Return the progress of all days."""
    first_at = view.one("SELECT min(watched_at) FROM watches WHERE tenant = %(tenant)s AND user_id = %(user_id)s")
    days = view.days().with_columns(first_at=pl.lit(first_at, INSTANT))
    titles = rows.fetch(view.connection, sql.SQL(_NAMED), view.user, _TITLES)
    begin, end = metrics.edge_window(view.now, view.zone)
    edge_s = view.one(
        "SELECT coalesce(sum(watched_s), 0)::bigint FROM progress_instants WHERE tenant = %(tenant)s "
        "AND user_id = %(user_id)s AND watched_at > %(begin)s AND watched_at < %(end)s",
        begin=begin,
        end=end,
    )
    return metrics.from_sums(titles, days, edge_s, now=view.now, zone=view.zone)


def _range(view: View, first: date | None, last: date | None) -> metrics.Progress:
    begin = datetime.combine(first or _EARLIEST, time(), view.zone)
    end = datetime.combine((last or _LATEST) + timedelta(days=1), time(), view.zone)
    held = view.watched("watched_at >= %(begin)s AND watched_at < %(end)s", begin=begin, end=end)
    core = between(held, first, last)
    return metrics.progress(aggregate(core), core, now=view.now, zone=view.zone)
