"""The landed rows of Postgres, replayed from raw: what they should be, compared with what they are, and mended.

Portions of raw go through the statements that follow the journal, into temporary tables that hide the real ones by
their names. The same for tables of the lake is in `warehouse.governance.rebuilding`; watches are in
`warehouse.governance.rewatching`.
"""
# ruff: noqa: S608 - every part of the statements stands in this module

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import polars as pl
import psycopg

from warehouse import landing
from warehouse.datasets import RAW_SESSIONS, Dataset
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.live import RAW_CHAT, RAW_STREAMS, RAW_VIEWERS
from warehouse.governance.comparing import Difference
from warehouse.store import Store

AT_ONCE = 2_000
"""Records replayed by one statement."""

PORTION = 200_000
"""Rows of raw in a portion, unless one stream or session has more."""


@dataclass(frozen=True)
class Replay:
    """A table, the records that it is made of, and what identifies a row, in the table and in raw.

    Portions are days of `started_at`, or ranges of `spread`, a column of both.
    """

    table: str
    kind: str
    raw: Dataset
    key: tuple[str, ...]
    raw_key: tuple[str, ...]
    spread: str | None = None


SESSIONS = Replay("sessions", "session", RAW_SESSIONS, *2 * (("tenant", "session_id", "identity_at"),))
_EVENT, _MESSAGE = ("tenant", "session_id", "event_id"), ("tenant", "stream_id", "message_id")
_SAMPLE = ("tenant", "stream_id")
REPLAYS = (
    SESSIONS,
    Replay("analytics_events", "event", RAW_EVENTS, _EVENT, _EVENT, "session_id"),
    Replay("chat_messages", "chat", RAW_CHAT, _MESSAGE, _MESSAGE, "stream_id"),
    Replay("viewer_timeseries", "viewers", RAW_VIEWERS, (*_SAMPLE, "timestamp"), (*_SAMPLE, "sampled_at"), "stream_id"),
    Replay("streams", "stream", RAW_STREAMS, _SAMPLE, _SAMPLE, "stream_id"),
)


@dataclass(frozen=True)
class _Portion:
    """Rows that are replayed together: what they are of the table, with values, and of raw."""

    condition: str
    values: Mapping[str, object]
    raw: pl.Expr
    day: date | None = None


class _Statements:
    """The SQL of one table. `suspects` are the ingest_ids of the rows that may be wrong."""

    def __init__(self, replay: Replay, condition: str) -> None:
        table = replay.table
        held = f"public.{table} WHERE {condition}"
        same = " AND ".join(
            f"held.{name} {'IS NOT DISTINCT FROM' if name == 'identity_at' else '='} other.{name}"
            for name in replay.key
        )
        not_replayed = f"SELECT * FROM {held} EXCEPT SELECT * FROM pg_temp.{table}"
        wrong = f"SELECT * FROM ({not_replayed}) AS held WHERE ingest_id = ANY(%(suspects)s)"
        missing = f"""
            SELECT * FROM pg_temp.{table} AS other WHERE NOT EXISTS (
                SELECT FROM public.{table} AS held WHERE {same} AND held.ingest_id <> ALL(%(suspects)s)
            ) EXCEPT SELECT * FROM {held}
        """
        self.shadows = "".join(
            f"CREATE TEMPORARY TABLE {name} (LIKE public.{name} INCLUDING ALL) ON COMMIT DROP;"
            for name in ("session_keys", table)
        )
        self.suspects = f"SELECT ingest_id FROM ({not_replayed}) AS held"
        self.count = f"""
            WITH extra AS ({wrong}), missing AS ({missing}),
                changed AS (SELECT FROM extra AS held JOIN missing AS other ON {same})
            SELECT (SELECT count(*) FROM missing), (SELECT count(*) FROM extra), (SELECT count(*) FROM changed)
        """
        self.delete = f"""
            DELETE FROM public.{table} AS held USING ({wrong}) AS other
            WHERE {same} AND held.ingest_id = other.ingest_id
        """
        self.insert = "".join(
            f"INSERT INTO public.{name} SELECT * FROM pg_temp.{name} ON CONFLICT DO NOTHING;"
            for name in ("session_keys", table)
        )


def landed(store: Store, settle: Callable[[], object], *, mend: bool) -> Iterator[Difference]:
    """Yield where the landed rows of Postgres are not what raw gives, of sessions by day; with `mend`, make them so.

    Landing goes on meanwhile, and Postgres has a row before raw has it. So what differs at first is only suspected;
    `settle` brings everything that has landed into raw, and what of it still differs then is wrong. A portion is
    mended in one transaction. Raises psycopg errors, and what `settle` raises.
    """
    for replay in REPLAYS:
        with store.database.connect() as connection:
            yield from _compared(store, connection, replay, settle, mend=mend)


def restore(
    store: Store, connection: psycopg.Connection, replay: Replay, days: Collection[date], gone: pl.Expr
) -> None:
    """Land again what of these days' raw rows shares its key with one that is gone, and is not gone itself.

    Where the newest send of a row has expired, and one that came later is older by its own clock, that one holds.
    """
    if days:
        raw = store.lake.read(replay.raw, lambda rows: rows.filter(pl.col("refused").is_null()), days=days)
        left = raw.filter(~gone).join(raw.filter(gone), on=replay.raw_key, how="semi", nulls_equal=True)
        for part in left.iter_slices(AT_ONCE):
            landing.follow(connection, _batch(replay, part))


def _compared(
    store: Store, connection: psycopg.Connection, replay: Replay, settle: Callable[[], object], *, mend: bool
) -> Iterator[Difference]:
    suspects: list[UUID] = []
    differing = []
    for portion in _portions(store, connection, replay):
        with _replayed(store, connection, replay, portion) as statements:
            found = [row[0] for row in connection.execute(statements.suspects.encode(), portion.values)]
            if found or any(_count(connection, statements, portion, found)):
                differing.append(portion)
                suspects += found
    if differing:
        settle()
    for portion in differing:
        with _replayed(store, connection, replay, portion) as statements:
            missing, extra, changed = _count(connection, statements, portion, suspects)
            if mend and (missing or extra):
                connection.execute(statements.delete.encode(), {**portion.values, "suspects": suspects})
                connection.execute(statements.insert.encode())
        if missing or extra:
            yield Difference(replay.table, portion.day, missing - changed, extra - changed, changed)


def _portions(store: Store, connection: psycopg.Connection, replay: Replay) -> list[_Portion]:
    if replay.spread is None:
        held = connection.execute("SELECT DISTINCT (started_at AT TIME ZONE 'UTC')::date FROM sessions").fetchall()
        days = sorted(store.lake.row_counts(replay.raw).keys() | {row[0] for row in held})
        within = "started_at >= %(low)s AND started_at < %(low)s + interval '1 day'"
        return [_Portion(within, {"low": day}, pl.col("day") == day, day) for day in days]
    name, last = replay.spread, pl.col("len").cum_sum() // PORTION
    counts = store.lake.read(replay.raw, lambda rows: rows.group_by(name).len()).sort(name)
    lows = ["", *counts.with_columns(part=last).filter(pl.col("part") > pl.col("part").shift(1, fill_value=0))[name]]
    return [_between(name, low, high) for low, high in zip(lows, [*lows[1:], None], strict=True)]


def _between(name: str, low: str, high: str | None) -> _Portion:
    condition, raw = f'{name} >= %(low)s COLLATE "C"', pl.col(name) >= low
    if high is None:
        return _Portion(condition, {"low": low}, raw)
    return _Portion(
        f'{condition} AND {name} < %(high)s COLLATE "C"', {"low": low, "high": high}, raw & (pl.col(name) < high)
    )


@contextmanager
def _replayed(store: Store, connection: psycopg.Connection, replay: Replay, portion: _Portion) -> Iterator[_Statements]:
    """Hold a transaction in which a portion of the table, made from raw, hides the real one."""
    statements = _Statements(replay, portion.condition)
    days = None if portion.day is None else [portion.day]
    wanted = portion.raw & pl.col("refused").is_null()
    raw = store.lake.read(replay.raw, lambda rows: rows.filter(wanted), days=days)
    with connection.transaction():
        connection.execute("SET LOCAL timezone = 'UTC'")
        connection.execute(statements.shadows.encode())
        for part in raw.iter_slices(AT_ONCE):
            for statement in landing.STATEMENTS[replay.kind]:
                connection.execute(statement.encode(), {"batch": _batch(replay, part)})
        yield statements


def _count(
    connection: psycopg.Connection, statements: _Statements, portion: _Portion, suspects: Sequence[UUID]
) -> tuple[int, int, int]:
    row = connection.execute(statements.count.encode(), {**portion.values, "suspects": list(suspects)}).fetchone()
    return row if row is not None else (0, 0, 0)


def _batch(replay: Replay, raw: pl.DataFrame) -> bytes:
    """Return rows of raw as the landing records that they were; events begin their session with the day it lies in."""
    if "started_at" not in raw.columns:
        raw = raw.with_columns(started_at=pl.col("day").cast(pl.Datetime("us", "UTC")))
    instants = [name for name, dtype in raw.schema.items() if dtype == pl.Datetime and name != "received_at"]
    rows = raw.with_columns(
        pl.col(instants).dt.epoch("ms"), pl.col("received_at").dt.epoch("us"), kind=pl.lit(replay.kind)
    )
    records: Iterator[dict[str, Any]] = rows.drop("day", "refused").rename({"payload": "body"}).iter_rows(named=True)
    return msgspec.json.encode([record | {"body": msgspec.Raw(record["body"].encode())} for record in records])
