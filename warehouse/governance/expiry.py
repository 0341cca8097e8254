"""Expired rows of Postgres: whole partitions dropped, the rest deleted in paced batches, the condition checked again.

What is expired is said by `warehouse.policies`; the lake's part, and the order of both, is in
`warehouse.governance.retention`.
"""

import time
from collections.abc import Collection, Sequence
from datetime import date

import psycopg
from psycopg import errors, sql

from warehouse.landing import partitions
from warehouse.policies import Cutoffs

BATCH = 5_000
"""Rows deleted by one statement: others wait for no more than that."""

PAUSE_S = 0.05
LOCK_TIMEOUT = "2s"
"""How long landing may be held up for a partition to be dropped; otherwise its rows go in batches."""

ARRIVED = {
    "analytics_events": ("events", "created_at"),
    "chat_messages": ("chat", "created_at"),
    "viewer_timeseries": ("viewers", "created_at"),
    "streams": ("streams", "updated_at"),
}
"""The tables of live streams and player events: what kind of policy is about them, and the column of the arrival."""

_UNUSED = sql.SQL("""
    (held.identity_at IS NOT NULL OR NOT EXISTS (
        SELECT FROM analytics_events AS told WHERE told.tenant = held.tenant AND told.session_id = held.session_id
    ))
""")
"""Whether no event lies where the key says."""

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
        DELETE FROM session_keys AS held USING gone
        WHERE held.tenant = gone.tenant AND held.session_id = gone.session_id
            AND held.identity_at IS NOT DISTINCT FROM gone.identity_at AND {unused}
    )
    SELECT count(*) FROM gone
""")
_DELETE_KEYS = sql.SQL("""
    DELETE FROM session_keys AS held USING {partition} AS gone
    WHERE held.tenant = gone.tenant AND held.session_id = gone.session_id
        AND held.identity_at IS NOT DISTINCT FROM gone.identity_at AND {unused}
""")
_DELETE_LANDED = sql.SQL("""
    DELETE FROM {table} AS held
    USING (SELECT ctid FROM {table} WHERE {expired} LIMIT {batch} FOR UPDATE SKIP LOCKED) AS doomed
    WHERE held.ctid = doomed.ctid AND {expired}
    RETURNING {returned}
""")
_DELETE_EVENT_KEYS = sql.SQL("""
    DELETE FROM session_keys AS held USING unnest(%s::text[], %s::text[]) AS gone (tenant, session_id)
    WHERE held.tenant = gone.tenant AND held.session_id = gone.session_id AND held.identity_at IS NULL AND {unused}
        AND NOT EXISTS (
            SELECT FROM sessions WHERE sessions.tenant = held.tenant AND sessions.session_id = held.session_id
                AND sessions.identity_at IS NULL
        )
""").format(unused=_UNUSED)


def delete_sessions(connection: psycopg.Connection, cutoffs: Cutoffs, today: date, *, pause_s: float = PAUSE_S) -> int:
    """Delete the expired sessions with their keys; return how many. Raises psycopg errors; safe to repeat.

    A session that is sent again meanwhile is not expired any more and stays.
    """
    expired = cutoffs.sql("created_at", "stream_type")
    past = [name for name in partitions.months(connection) if partitions.is_past(name, today)]
    gone = sum(_drop(connection, name, expired) for name in past)
    statement = _DELETE.format(expired=expired, batch=sql.Literal(BATCH), unused=_UNUSED)
    while True:
        deleted = _count(connection, statement)
        gone += deleted
        if deleted == 0:
            return gone
        time.sleep(pause_s if deleted == BATCH else 0)


def delete_landed(connection: psycopg.Connection, table: str, cutoffs: Cutoffs, *, pause_s: float = PAUSE_S) -> int:
    """Delete the expired rows of one of the tables of `ARRIVED`; likewise. Events take unused keys along."""
    expired = cutoffs.sql(ARRIVED[table][1], None)
    names = ("tenant", "session_id") if table == "analytics_events" else ("tenant",)
    returned = sql.SQL(", ").join(sql.Identifier("held", name) for name in names)
    statement = _DELETE_LANDED.format(
        table=sql.Identifier(table), expired=expired, batch=sql.Literal(BATCH), returned=returned
    )
    gone = 0
    while True:
        with connection.transaction():
            rows = connection.execute(statement).fetchall()
            if rows and len(names) > 1:
                connection.execute(_DELETE_EVENT_KEYS, [list(column) for column in zip(*set(rows), strict=True)])
        gone += len(rows)
        if not rows:
            return gone
        time.sleep(pause_s if len(rows) == BATCH else 0)


def renew_streams(connection: psycopg.Connection, cutoffs: Cutoffs) -> None:
    """Let no stream say when an expired send arrived; landing those again that are left tells of the first of them."""
    statement = sql.SQL("UPDATE streams SET created_at = updated_at WHERE {}")
    connection.execute(statement.format(cutoffs.sql("created_at", None)))


def count_landed(connection: psycopg.Connection, table: str, cutoffs: Cutoffs) -> int:
    """Return how many rows of one of the tables of `ARRIVED` are expired."""
    counted = sql.SQL("SELECT count(*) FROM {} WHERE {}")
    return _count(connection, counted.format(sql.Identifier(table), cutoffs.sql(ARRIVED[table][1], None)))


def delete_incidents(connection: psycopg.Connection, cutoffs: Cutoffs, held: Collection[date]) -> int:
    """Delete the expired incidents that are over, with what was told of them; return how many.

    One that touches a day of `held`, the days of which there are aggregates, stays: it would be found again. Nothing
    goes that the webhook has not been told.
    """
    statement = sql.SQL("""
        WITH gone AS (
            DELETE FROM incidents WHERE state <> 'open' AND {expired}
                AND NOT daterange(started_at::date, coalesce(ended_at, seen_at)::date, '[]') @> ANY(%(held)s::date[])
                AND NOT EXISTS (
                    SELECT FROM incident_deliveries AS told
                    WHERE told.incident_id = incidents.incident_id AND told.delivered_at IS NULL
                )
            RETURNING incident_id
        ), told AS (DELETE FROM incident_deliveries USING gone WHERE incident_deliveries.incident_id = gone.incident_id)
        SELECT count(*) FROM gone
    """)
    with connection.transaction():
        connection.execute("SET LOCAL timezone = 'UTC'")
        query = statement.format(expired=cutoffs.sql("seen_at", None))
        row = connection.execute(query, {"held": sorted(held)}).fetchone()
    return 0 if row is None else int(row[0])


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
            connection.execute(_DELETE_KEYS.format(partition=partition, unused=_UNUSED))
            connection.execute(sql.SQL("DROP TABLE {}").format(partition))
    except errors.LockNotAvailable:
        return 0
    return rows


def _count(connection: psycopg.Connection, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row is not None else 0
