"""The sessions of Postgres, replayed from raw: what they should be, compared with what they are, and mended.

Each day of raw goes through the statement that follows the journal, into temporary tables that hide the real ones by
their names. The same for tables of the lake is in `warehouse.rebuilding`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import msgspec
import polars as pl
import psycopg

from warehouse.comparing import Difference
from warehouse.datasets import RAW_SESSIONS
from warehouse.statements import FOLLOW
from warehouse.store import Store

AT_ONCE = 2_000
"""Records replayed by one statement."""


# Every part of these statements stands in this module.
# ruff: noqa: S608
_SHADOWS = """
    CREATE TEMPORARY TABLE session_keys (LIKE public.session_keys INCLUDING ALL) ON COMMIT DROP;
    CREATE TEMPORARY TABLE sessions (LIKE public.sessions INCLUDING ALL) ON COMMIT DROP
"""
_HELD = "public.sessions WHERE started_at >= %(day)s AND started_at < %(day)s + interval '1 day'"
_SAME = """
    held.tenant = other.tenant AND held.session_id = other.session_id
        AND held.identity_at IS NOT DISTINCT FROM other.identity_at
"""
_NOT_REPLAYED = f"SELECT * FROM {_HELD} EXCEPT SELECT * FROM pg_temp.sessions"
_SUSPECTS = f"SELECT ingest_id FROM ({_NOT_REPLAYED}) AS held"
_WRONG = f"SELECT * FROM ({_NOT_REPLAYED}) AS held WHERE ingest_id = ANY(%(suspects)s)"
_NOT_HELD = f"""
    SELECT * FROM pg_temp.sessions AS other WHERE NOT EXISTS (
        SELECT FROM public.sessions AS held WHERE {_SAME} AND held.ingest_id <> ALL(%(suspects)s)
    )
    EXCEPT SELECT * FROM {_HELD}
"""
_COUNT = f"""
    WITH extra AS ({_WRONG}), missing AS ({_NOT_HELD}),
        changed AS (SELECT FROM extra AS held JOIN missing AS other ON {_SAME})
    SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM extra), (SELECT count(*) FROM changed)
"""
_DELETE = f"""
    DELETE FROM public.sessions AS held USING ({_WRONG}) AS other
    WHERE {_SAME} AND held.started_at = other.started_at AND held.ingest_id = other.ingest_id
"""
_INSERT = """
    INSERT INTO public.session_keys SELECT * FROM pg_temp.session_keys ON CONFLICT DO NOTHING;
    INSERT INTO public.sessions SELECT * FROM pg_temp.sessions ON CONFLICT DO NOTHING
"""


def sessions(store: Store, settle: Callable[[], object], *, mend: bool) -> Iterator[Difference]:
    """Yield the days on which the sessions in Postgres are not what raw gives; with `mend`, make them so.

    Landing goes on meanwhile, and Postgres has a session before raw has it. So what differs at first is only suspected;
    `settle` brings everything that has landed into raw, and what of it still differs then is wrong. A day is mended in
    one transaction. Raises psycopg errors, and what `settle` raises.
    """
    with store.database.connect() as connection:
        held = connection.execute("SELECT DISTINCT (started_at AT TIME ZONE 'UTC')::date FROM sessions").fetchall()
        days = sorted(store.lake.row_counts(RAW_SESSIONS).keys() | {row[0] for row in held})
        suspects: list[UUID] = []
        differing = []
        for day in days:
            with _replayed(store, connection, day):
                found = [row[0] for row in connection.execute(_SUSPECTS, {"day": day})]
                if found or _count(connection, day, found)[0]:
                    differing.append(day)
                    suspects += found
        if differing:
            settle()
        for day in differing:
            with _replayed(store, connection, day):
                missing, extra, changed = _count(connection, day, suspects)
                if mend and (missing or extra):
                    connection.execute(_DELETE, {"day": day, "suspects": suspects})
                    connection.execute(_INSERT)
            if missing or extra:
                yield Difference("sessions", day, missing - changed, extra - changed, changed)


@contextmanager
def _replayed(store: Store, connection: psycopg.Connection, day: date) -> Iterator[None]:
    """Hold a transaction in which the sessions of a day, made from raw, hide the real ones."""
    raw = store.lake.read(RAW_SESSIONS, lambda rows: rows.filter(pl.col("refused").is_null()), days=[day])
    with connection.transaction():
        connection.execute("SET LOCAL timezone = 'UTC'")
        connection.execute(_SHADOWS)
        for part in raw.iter_slices(AT_ONCE):
            connection.execute(FOLLOW, {"batch": _batch(part)})
        yield


def _count(connection: psycopg.Connection, day: date, suspects: Sequence[UUID]) -> tuple[int, int, int]:
    row = connection.execute(_COUNT, {"day": day, "suspects": list(suspects)}).fetchone()
    return row if row is not None else (0, 0, 0)


def _batch(raw: pl.DataFrame) -> bytes:
    """Return rows of raw as the landing records that they were."""
    milliseconds = pl.col("identity_at", "started_at", "sent_at").dt.epoch("ms")
    rows = raw.with_columns(milliseconds, pl.col("received_at").dt.epoch("us"), kind=pl.lit("session"))
    records = rows.drop("day", "refused").rename({"payload": "body"}).iter_rows(named=True)
    return msgspec.json.encode([record | {"body": msgspec.Raw(record["body"].encode())} for record in records])
