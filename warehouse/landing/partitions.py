"""Monthly partitions of `sessions`: made ahead when a database is opened, and on demand for the months of a batch.

Rows of a month without a partition lie in `sessions_default`, and move when the partition is made. What is written
into them belongs in `warehouse.landing`; what expires from them is retention's.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql

DEFAULT = "sessions_default"
FIRST_MONTH = date(2005, 1, 1)
"""No session is placed earlier: clocks that claim so are suspect."""
MONTHS_AHEAD = 2

_NAME = re.compile(r"sessions_(\d{4})_(\d{2})")
_LOCK = 0x506C6179_00000002
_LISTED = """
    SELECT child.relname FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'sessions'::regclass
"""

_known: WeakKeyDictionary[psycopg.Connection, set[date]] = WeakKeyDictionary()


def is_partition(table: str) -> bool:
    """Tell whether a table's name is that of a partition of `sessions`."""
    return table == DEFAULT or _NAME.fullmatch(table) is not None


def ahead(today: date) -> Iterator[date]:
    """Yield the current month and those that are made ahead of time, as their first days."""
    month = today.replace(day=1)
    for _ in range(MONTHS_AHEAD + 1):
        yield month
        month = _next(month)


def months(connection: psycopg.Connection) -> list[str]:
    """Return the names of the monthly partitions that exist, in order."""
    return sorted(f"sessions_{month:%Y_%m}" for month in _existing(connection))


def is_past(table: str, today: date) -> bool:
    """Tell whether a monthly partition is of an earlier month than today's."""
    name = _NAME.fullmatch(table)
    return name is not None and date(int(name[1]), int(name[2]), 1) < today.replace(day=1)


def ensure(connection: psycopg.Connection, months: Iterable[date]) -> None:
    """Make the partitions of these months (any day of each) where they are missing; earlier than 2005 have none.

    What a connection has seen is remembered, so that asking again costs nothing. Safe from several processes at once.
    The connection must not be in a transaction. Raises psycopg errors.
    """
    wanted = {month.replace(day=1) for month in months if month >= FIRST_MONTH}
    known = _known.setdefault(connection, set())
    if wanted <= known:
        return
    with connection.transaction():
        known |= _existing(connection)
    for month in sorted(wanted - known):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            if month not in _existing(connection):
                _create(connection, month)
        known.add(month)


def _existing(connection: psycopg.Connection) -> set[date]:
    names = (_NAME.fullmatch(row[0]) for row in connection.execute(_LISTED))
    return {date(int(name[1]), int(name[2]), 1) for name in names if name}


def _create(connection: psycopg.Connection, month: date) -> None:
    """Make a table, move the month's rows out of the default partition, attach it: writers of other months go on."""
    bounds = {
        "table": sql.Identifier(f"sessions_{month:%Y_%m}"),
        "default": sql.Identifier(DEFAULT),
        "low": sql.Literal(f"{month} 00:00+00"),
        "high": sql.Literal(f"{_next(month)} 00:00+00"),
    }
    for statement in (
        "LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE",
        "CREATE TABLE {table} (LIKE sessions INCLUDING DEFAULTS INCLUDING COMMENTS)",
        """
        WITH moved AS (DELETE FROM {default} WHERE started_at >= {low} AND started_at < {high} RETURNING *)
        INSERT INTO {table} SELECT * FROM moved
        """,
        "ALTER TABLE sessions ATTACH PARTITION {table} FOR VALUES FROM ({low}) TO ({high})",
    ):
        connection.execute(sql.SQL(statement).format(**bounds))


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
