"""The sessions of Postgres, replayed from raw: what they should be, compared with what they are, and mended.

Each day of raw goes through the statement that follows the journal, into temporary tables that hide the real ones by
their names. The same for tables of the lake is in `warehouse.rebuilding`.
"""

from collections.abc import Iterator
from datetime import date, datetime

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
_HELD = (
    "public.sessions WHERE started_at >= %(day)s AND started_at < %(day)s + interval '1 day' AND created_at <= %(cut)s"
)
_SAME = """
    held.tenant = other.tenant AND held.session_id = other.session_id
        AND held.identity_at IS NOT DISTINCT FROM other.identity_at
"""
_NOT_REPLAYED = f"SELECT * FROM {_HELD} EXCEPT SELECT * FROM pg_temp.sessions"
_NOT_HELD = f"""
    SELECT * FROM pg_temp.sessions AS other
    WHERE NOT EXISTS (SELECT FROM public.sessions AS held WHERE {_SAME} AND held.created_at > %(cut)s)
    EXCEPT SELECT * FROM {_HELD}
"""
_COUNT = f"""
    WITH extra AS ({_NOT_REPLAYED}), missing AS ({_NOT_HELD}),
        changed AS (SELECT FROM extra AS held JOIN missing AS other ON {_SAME})
    SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM extra), (SELECT count(*) FROM changed)
"""
_DELETE = f"DELETE FROM public.sessions AS held USING ({_NOT_REPLAYED}) AS other WHERE {_SAME}"
_INSERT = """
    INSERT INTO public.session_keys SELECT * FROM pg_temp.session_keys ON CONFLICT DO NOTHING;
    INSERT INTO public.sessions SELECT * FROM pg_temp.sessions ON CONFLICT DO NOTHING
"""


def sessions(store: Store, cut: datetime, *, mend: bool) -> Iterator[Difference]:
    """Yield the days on which the sessions in Postgres are not what raw gives; with `mend`, make them so.

    What arrived after `cut` is left out: it may not be in raw yet. Everything before must be sealed. A day is mended
    in one transaction, and landing goes on meanwhile. Raises psycopg errors.
    """
    with store.database.connect() as connection:
        held = connection.execute("SELECT DISTINCT (started_at AT TIME ZONE 'UTC')::date FROM sessions").fetchall()
        for day in sorted(store.lake.row_counts(RAW_SESSIONS).keys() | {row[0] for row in held}):
            raw = store.lake.read(RAW_SESSIONS, lambda rows: rows.filter(pl.col("refused").is_null()), days=[day])
            with connection.transaction():
                difference = _day(connection, raw, day, cut, mend=mend)
            if difference is not None:
                yield difference


def _day(
    connection: psycopg.Connection, raw: pl.DataFrame, day: date, cut: datetime, *, mend: bool
) -> Difference | None:
    connection.execute("SET LOCAL timezone = 'UTC'")
    connection.execute(_SHADOWS)
    for part in raw.iter_slices(AT_ONCE):
        connection.execute(FOLLOW, {"batch": _batch(part)})
    parameters = {"day": day, "cut": cut}
    row = connection.execute(_COUNT, parameters).fetchone()
    missing, extra, changed = row if row is not None else (0, 0, 0)
    if not missing and not extra:
        return None
    if mend:
        connection.execute(_DELETE, parameters)
        connection.execute(_INSERT)
    return Difference("sessions", day, missing - changed, extra - changed, changed)


def _batch(raw: pl.DataFrame) -> bytes:
    """Return rows of raw as the landing records that they were."""
    milliseconds = pl.col("identity_at", "started_at", "sent_at").dt.epoch("ms")
    rows = raw.with_columns(milliseconds, pl.col("received_at").dt.epoch("us"), kind=pl.lit("session"))
    records = rows.drop("day", "refused").rename({"payload": "body"}).iter_rows(named=True)
    return msgspec.json.encode([record | {"body": msgspec.Raw(record["body"].encode())} for record in records])
