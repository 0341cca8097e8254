"""Forgetting a session or a user: what is deleted, where, in an order that a crash cannot undo.

First the tombstone, so that nothing lands any more; then Postgres and the raw tables. What is derived follows by the
ordinary refresh, for its sources changed; of frozen days aggregates stay as they are, for they name nobody. The whole
way, from journal to reports, is walked by `playhead.governance`, and what belongs to whom is found in
`warehouse.governance.subjects`.

Of the tracker a user's account and everything that had arrived of them goes, and a body that they had sent is not taken
again. What else they send afterwards is their own will, and kept.
"""

import json
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import Table
from uuid_utils import uuid7

from warehouse.datasets import DATASETS, Dataset
from warehouse.datasets.live import RAW_CHAT
from warehouse.datasets.watches import RAW_WATCHES
from warehouse.derivations import DERIVATIONS
from warehouse.governance import rewatching, subjects
from warehouse.governance.subjects import IDENTITY, MESSAGE, Belongings
from warehouse.landing import outbox, tombstones
from warehouse.landing.tombstones import Subject
from warehouse.store import Store
from warehouse.tables import METADATA
from warehouse.tables.access import USERS
from warehouse.tables.watches import OUTBOX

_GONE = """
    DELETE FROM {} AS held
    USING unnest(%s::text[], %s::bigint[]) AS gone (session_id, identity_ms)
    WHERE held.tenant = %s AND held.session_id = gone.session_id AND held.identity_at IS NOT DISTINCT FROM
        to_timestamp(gone.identity_ms / 1000) + (gone.identity_ms %% 1000) * interval '1 millisecond'
"""
_OF_SESSIONS = {table: sql.SQL(_GONE).format(sql.Identifier(table)) for table in ("sessions", "session_keys")}
_OF_EVENTS = sql.SQL("DELETE FROM analytics_events WHERE tenant = %s AND session_id = ANY(%s)")
_OF_MESSAGES = sql.SQL("""
    DELETE FROM chat_messages AS held USING unnest(%s::text[], %s::text[]) AS gone (stream_id, message_id)
    WHERE held.tenant = %s AND held.stream_id = gone.stream_id AND held.message_id = gone.message_id
""")


def begin(store: Store, subject: Subject) -> UUID:
    """Set the tombstone and open a receipt, or go on with one that a crash left open; return its number."""
    now = store.settings.now()
    with store.database.connect() as connection, connection.transaction():
        tombstones.bury(connection, [subject], now)
        named = (subject.tenant, subject.kind, subject.sha256)
        held = connection.execute(
            "SELECT receipt FROM erasures WHERE tenant = %s AND kind = %s AND sha256 = %s AND finished_at IS NULL",
            named,
        ).fetchone()
        if held is not None:
            return UUID(str(held[0]))
        receipt = UUID(str(uuid7()))
        connection.execute(
            "INSERT INTO erasures (tenant, kind, sha256, receipt, asked_at, counts) VALUES (%s, %s, %s, %s, %s, '{}')",
            (*named, receipt, now),
        )
    return receipt


def erase(store: Store, subject: Subject) -> dict[str, int]:
    """Delete the subject's rows from Postgres and from the tables that are landed; return how many went, by table.

    What was landed before the tombstone must be followed and sealed. Safe to repeat. Raises psycopg errors,
    `sqlalchemy.exc.DBAPIError`, `deltalake.exceptions.DeltaError` and OSError.
    """
    theirs = subjects.find(store, subject)
    with store.database.connect() as connection, connection.transaction():
        tombstones.bury(connection, theirs.buried(), store.settings.now())
    # Raw is last: it says what is meant, also to the next run after a crash.
    counts = _erase_postgres(store, theirs)
    counts |= _erase_landed(store, theirs)
    if subject.kind == "user":
        # What came meanwhile stays, and is all that raw tells of them.
        list(rewatching.watches(store, mend=True))
    return counts


def finish(store: Store, receipt: UUID, counts: dict[str, int]) -> None:
    """Close the receipt. Raises psycopg errors."""
    with store.database.connect() as connection:
        connection.execute(
            "UPDATE erasures SET finished_at = %s, counts = %s WHERE receipt = %s",
            (store.settings.now(), json.dumps(counts), receipt),
        )


def _erase_landed(store: Store, theirs: Belongings) -> dict[str, int]:
    tenant = pl.lit(theirs.subject.tenant).alias("tenant")
    counts = {
        RAW_WATCHES.name: _take_out(store, RAW_WATCHES, theirs.bodies.select("ingest_id")),
        RAW_CHAT.name: _take_out(store, RAW_CHAT, theirs.messages.select(tenant, *MESSAGE)),
    }
    derived = {target.name for step in DERIVATIONS for target in step.targets}
    sessions = theirs.sessions.select(tenant, *IDENTITY)
    for dataset in DATASETS.values():
        if dataset.name not in derived and "session_id" in dataset.columns:
            named = sessions if "identity_at" in dataset.columns else _without_start(sessions)
            counts[dataset.name] = _take_out(store, dataset, named)
    return counts


def _without_start(sessions: pl.DataFrame) -> pl.DataFrame:
    """Leave those with numeric ids out: their digits may be the text id of another."""
    return sessions.filter(pl.col("identity_at").is_null()).drop("identity_at")


def _take_out(store: Store, dataset: Dataset, keys: pl.DataFrame) -> int:
    """Delete the rows with these values in these columns; return how many."""

    def joined(rows: pl.LazyFrame, how: Literal["semi", "anti"]) -> pl.LazyFrame:
        return rows.join(keys.lazy(), on=keys.columns, how=how, nulls_equal=True)

    days = store.lake.read(dataset, lambda rows: joined(rows, "semi").select("day").unique())["day"]
    return sum(store.lake.filter_days(dataset, days, lambda rows: joined(rows, "anti")).values())


def _erase_postgres(store: Store, theirs: Belongings) -> dict[str, int]:
    subject, identities = theirs.subject, subjects.milliseconds(theirs.sessions)
    texts = _without_start(theirs.sessions)["session_id"].to_list()
    counts: dict[str, int] = {}

    def delete(table: str, statement: sql.SQL | sql.Composed, values: Sequence[object]) -> None:
        counts[table] = counts.get(table, 0) + connection.execute(statement, values).rowcount

    with store.database.connect() as connection, connection.transaction():
        for name, statement in _OF_SESSIONS.items():
            ids, starts = identities.get_columns()
            delete(name, statement, (ids.to_list(), starts.to_list(), subject.tenant))
        delete("analytics_events", _OF_EVENTS, (subject.tenant, texts))
        messages = [theirs.messages[name].to_list() for name in MESSAGE]
        delete("chat_messages", _OF_MESSAGES, (*messages, subject.tenant))
        refused = _quarantined(connection, subject, identities)
        delete("quarantine", sql.SQL("DELETE FROM quarantine WHERE ingest_id = ANY(%s)"), (refused,))
        if subject.kind == "user":
            for table in _of_users():
                names = sql.Identifier(table.name), sql.Identifier(_user_column(table))
                of_user = sql.SQL("DELETE FROM {} WHERE tenant = %s AND {} = %s").format(*names)
                delete(table.name, of_user, (subject.tenant, subject.id))
        counts[OUTBOX.name] = outbox.erase(connection, theirs.bodies["ingest_id"].to_list())
    return counts


def _quarantined(connection: psycopg.Connection, subject: Subject, identities: pl.DataFrame) -> list[UUID]:
    """Return the refused records of the subject; one that is no JSON names nobody."""
    known = set(identities["session_id"])
    found = []
    for ingest_id, text in connection.execute(
        "SELECT ingest_id, record FROM quarantine WHERE tenant = %s", (subject.tenant,)
    ).fetchall():
        record = _object(text)
        body = record.get("body")
        told = body if isinstance(body, dict) else {}
        users = [told.get(name) for name in ("userId", "user_id", "username")]
        named = [record.get("session_id")] if subject.kind == "session" else users
        if subject.id in named or (subject.kind == "user" and record.get("session_id") in known):
            found.append(ingest_id)
    return found


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _of_users() -> list[Table]:
    return [table for table in METADATA.sorted_tables if "user_id" in table.columns or table is USERS]


def _user_column(table: Table) -> str:
    return "name" if table is USERS else "user_id"
