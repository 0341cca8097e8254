"""Expired rows of Postgres: whole partitions dropped, the rest deleted in paced batches, the condition checked again.

What is expired is said by `warehouse.policies`; the lake's part, and the order of both, is in `warehouse.retention`.
"""

import time
from collections.abc import Sequence
from datetime import date

import psycopg
from psycopg import errors, sql

from warehouse import partitions
from warehouse.policies import Cutoffs

BATCH = 5_000
"""Rows deleted by one statement: others wait for no more than that."""

PAUSE_S = 0.05
LOCK_TIMEOUT = "2s"
"""How long landing may be held up for a partition to be dropped; otherwise its rows go in batches."""

_DELETE = sql.SQL("""
    WITH doomed AS (
        SELECT tenant, session_id, identity_at, started_at FROM sessions WHERE {expired}
        LIMIT {batch} FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM sessions USING doomed
        WHERE sessions.tenant = doomed.tenant AND sessions.session_id = doomed.session_id
            AND sessions.identity_at IS NOT DISTINCT FROM doomed.identity_at
            AND sessions.started_at = doomed.started_at
        RETURNING sessions.tenant, sessions.session_id, sessions.identity_at
    ), keys AS (
        DELETE FROM session_keys USING gone
        WHERE session_keys.tenant = gone.tenant AND session_keys.session_id = gone.session_id
            AND session_keys.identity_at IS NOT DISTINCT FROM gone.identity_at
    )
    SELECT count(*) FROM gone
""")
_DELETE_KEYS = sql.SQL("""
    DELETE FROM session_keys USING {partition} AS held
    WHERE session_keys.tenant = held.tenant AND session_keys.session_id = held.session_id
        AND session_keys.identity_at IS NOT DISTINCT FROM held.identity_at
""")


def delete_sessions(connection: psycopg.Connection, cutoffs: Cutoffs, today: date, *, pause_s: float = PAUSE_S) -> int:
    """Delete the expired sessions with their keys; return how many. Raises psycopg errors; safe to repeat.

    A session that is sent again meanwhile is not expired any more and stays.
    """
    expired = cutoffs.sql("created_at", "stream_type")
    past = [name for name in partitions.months(connection) if partitions.is_past(name, today)]
    gone = sum(_drop(connection, name, expired) for name in past)
    statement = _DELETE.format(expired=expired, batch=sql.Literal(BATCH))
    while True:
        deleted = _count(connection, statement)
        gone += deleted
        if deleted == 0:
            return gone
        time.sleep(pause_s)


def count_sessions(connection: psycopg.Connection, cutoffs: Cutoffs) -> int:
    """Return how many sessions are expired."""
    expired = cutoffs.sql("created_at", "stream_type")
    return _count(connection, sql.SQL("SELECT count(*) FROM sessions WHERE {}").format(expired))


def delete_quarantined(connection: psycopg.Connection, ingest_ids: Sequence[str]) -> int:
    """Delete refused records by the ids of their rows in raw; return how many."""
    return connection.execute("DELETE FROM quarantine WHERE ingest_id = ANY(%s::uuid[])", (list(ingest_ids),)).rowcount


def _drop(connection: psycopg.Connection, name: str, expired: sql.Composed) -> int:
    """Drop a month's partition if all of its rows are expired; return how many went. Empty ones of the past go too."""
    partition = sql.Identifier(name)
    others = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE NOT {})").format(partition, expired)
    if _count(connection, others):
        return 0
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
            connection.execute("LOCK TABLE session_keys, sessions IN ACCESS EXCLUSIVE MODE")
            if _count(connection, others):
                return 0
            rows = _count(connection, sql.SQL("SELECT count(*) FROM {}").format(partition))
            connection.execute(_DELETE_KEYS.format(partition=partition))
            connection.execute(sql.SQL("DROP TABLE {}").format(partition))
    except errors.LockNotAvailable:
        return 0
    return rows


def _count(connection: psycopg.Connection, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None else 0
