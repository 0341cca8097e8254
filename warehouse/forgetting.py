"""Forgetting a session or a user: what is deleted, where, in an order that a crash cannot undo.

First the tombstone, so that nothing lands any more; then Postgres and the raw tables. What is derived follows by the
ordinary refresh, for its sources changed. The whole way, from journal to reports, is walked by `playhead.governance`.

Of the tracker a user's account and everything that had arrived of them goes, and a body that they had sent is not taken
again. What else they send afterwards is their own will, and kept.
"""

import json
from collections.abc import Iterator
from typing import Literal
from uuid import UUID

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import Table
from uuid_utils import uuid7

from warehouse import outbox, rewatching, tombstones
from warehouse.access_tables import USERS
from warehouse.datasets import DATASETS, RAW_SESSIONS, Dataset
from warehouse.derivations import DERIVATIONS
from warehouse.store import Store
from warehouse.tables import METADATA
from warehouse.tombstones import Subject
from warehouse.watch_datasets import RAW_WATCHES
from warehouse.watch_tables import OUTBOX

_IDENTITY = ("session_id", "identity_at")
_GONE = """
    DELETE FROM {} AS held
    USING unnest(%s::text[], %s::bigint[]) AS gone (session_id, identity_ms)
    WHERE held.tenant = %s AND held.session_id = gone.session_id AND held.identity_at IS NOT DISTINCT FROM
        to_timestamp(gone.identity_ms / 1000) + (gone.identity_ms %% 1000) * interval '1 millisecond'
"""
_OF_SESSIONS = {table: sql.SQL(_GONE).format(sql.Identifier(table)) for table in ("sessions", "session_keys")}
_PAYLOAD_USER = pl.col("payload").str.json_path_match("$.userId")


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
    sessions = _sessions(store, subject)
    if subject.kind == "user":
        # A send without its user would bring a session of theirs back.
        with store.database.connect() as connection, connection.transaction():
            named = (tombstones.identity(subject.tenant, *row) for row in _milliseconds(sessions).iter_rows())
            tombstones.bury(connection, named, store.settings.now())
    # Raw is last: it says which sessions are meant, also to the next run after a crash.
    bodies = _bodies(store, subject)
    counts = _erase_postgres(store, subject, sessions)
    with store.database.connect() as connection, connection.transaction():
        tombstones.bury(connection, _sent(bodies), store.settings.now())
        counts[OUTBOX.name] = outbox.erase(connection, bodies["ingest_id"].to_list())
    counts |= _erase_landed(store, subject, sessions, bodies)
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


def _sessions(store: Store, subject: Subject) -> pl.DataFrame:
    """Return the identities of the subject's sessions."""
    of_tenant = pl.col("tenant") == subject.tenant
    whose = pl.col("session_id") == subject.id if subject.kind == "session" else subject.id == _PAYLOAD_USER
    return store.lake.read(RAW_SESSIONS, lambda raw: raw.filter(of_tenant, whose).select(_IDENTITY).unique())


def _bodies(store: Store, subject: Subject) -> pl.DataFrame:
    """Return the user's raw watches, those on their way included."""
    named = (pl.col("tenant") == subject.tenant) & (pl.col("user_id") == subject.id)
    theirs = named if subject.kind == "user" else pl.lit(value=False)
    with store.database.connect() as connection:
        waiting = outbox.waiting(connection, RAW_WATCHES).filter(theirs)
    return pl.concat([waiting, store.lake.read(RAW_WATCHES, lambda raw: raw.filter(theirs))]).unique("ingest_id")


def _sent(bodies: pl.DataFrame) -> Iterator[Subject]:
    for tenant, user_id, route, payload in bodies.select("tenant", "user_id", "route", "payload").iter_rows():
        yield tombstones.sent(tenant, user_id, route, payload)


def _milliseconds(sessions: pl.DataFrame) -> pl.DataFrame:
    return sessions.with_columns(pl.col("identity_at").dt.epoch("ms"))


def _erase_landed(store: Store, subject: Subject, sessions: pl.DataFrame, bodies: pl.DataFrame) -> dict[str, int]:
    counts = {RAW_WATCHES.name: _take_out(store, RAW_WATCHES, bodies.select("ingest_id"))}
    derived = {target.name for step in DERIVATIONS for target in step.targets}
    theirs = sessions.with_columns(tenant=pl.lit(subject.tenant))
    for dataset in DATASETS.values():
        if dataset.name not in derived and "session_id" in dataset.columns:
            identity = [name for name in theirs.columns if name in dataset.columns]
            counts[dataset.name] = _take_out(store, dataset, theirs.select(identity).unique())
    return counts


def _take_out(store: Store, dataset: Dataset, keys: pl.DataFrame) -> int:
    """Delete the rows with these values in these columns; return how many."""

    def joined(rows: pl.LazyFrame, how: Literal["semi", "anti"]) -> pl.LazyFrame:
        return rows.join(keys.lazy(), on=keys.columns, how=how, nulls_equal=True)

    days = store.lake.read(dataset, lambda rows: joined(rows, "semi").select("day").unique())["day"]
    return sum(store.lake.filter_days(dataset, days, lambda rows: joined(rows, "anti")).values())


def _erase_postgres(store: Store, subject: Subject, sessions: pl.DataFrame) -> dict[str, int]:
    identities = _milliseconds(sessions)
    counts: dict[str, int] = {}
    with store.database.connect() as connection, connection.transaction():
        asked = (identities["session_id"].to_list(), identities["identity_at"].to_list(), subject.tenant)
        for name, statement in _OF_SESSIONS.items():
            counts[name] = connection.execute(statement, asked).rowcount
        counts["quarantine"] = connection.execute(
            "DELETE FROM quarantine WHERE ingest_id = ANY(%s)", (_quarantined(connection, subject, identities),)
        ).rowcount
        if subject.kind == "user":
            for table in _of_users():
                names = sql.Identifier(table.name), sql.Identifier(_user_column(table))
                theirs = sql.SQL("DELETE FROM {} WHERE tenant = %s AND {} = %s").format(*names)
                counts[table.name] = connection.execute(theirs, (subject.tenant, subject.id)).rowcount
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
        user = body.get("userId") if isinstance(body, dict) else None
        named = record.get("session_id") if subject.kind == "session" else user
        if named == subject.id or (subject.kind == "user" and record.get("session_id") in known):
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
