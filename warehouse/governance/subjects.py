"""What belongs to a subject: sessions, player events, chat messages and bodies of the tracker, found in raw.

Deleting them is in `warehouse.governance.forgetting`, keeping them from coming back in `warehouse.landing.tombstones`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from warehouse.datasets import INSTANT, RAW_SESSIONS
from warehouse.datasets.cmcd import RAW_CMCD
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.live import RAW_CHAT
from warehouse.datasets.watches import RAW_WATCHES
from warehouse.landing import outbox, tombstones
from warehouse.landing.tombstones import Subject
from warehouse.store import Store

IDENTITY = ("session_id", "identity_at")
MESSAGE = ("stream_id", "message_id")


@dataclass(frozen=True)
class Belongings:
    """What is to be deleted of a subject.

    `sessions` are [session_id, identity_at], null where events alone name them; `messages` are [stream_id, message_id,
    untimely], every send of which goes; `bodies` are rows of `RAW_WATCHES`.
    """

    subject: Subject
    sessions: pl.DataFrame
    messages: pl.DataFrame
    bodies: pl.DataFrame

    def buried(self) -> Iterator[Subject]:
        """Yield what needs a tombstone of its own, for the subject's does not cover every resend of it."""
        tenant = self.subject.tenant
        if self.subject.kind == "user":
            # A send without its user would bring a session of theirs back.
            for session_id, identity_ms in milliseconds(self.sessions).iter_rows():
                yield tombstones.identity(tenant, session_id, identity_ms)
        for stream_id, message_id in self.messages.filter("untimely").select(MESSAGE).iter_rows():
            yield tombstones.said(tenant, stream_id, message_id)
        for user_id, route, payload in self.bodies.select("user_id", "route", "payload").iter_rows():
            yield tombstones.sent(tenant, user_id, route, payload)


def find(store: Store, subject: Subject) -> Belongings:
    """Return what raw holds of a subject, bodies on their way included."""
    return Belongings(subject, _sessions(store, subject), _messages(store, subject), _bodies(store, subject))


def milliseconds(sessions: pl.DataFrame) -> pl.DataFrame:
    """Return sessions with `identity_at` in epoch ms."""
    return sessions.with_columns(pl.col("identity_at").dt.epoch("ms"))


def _sessions(store: Store, subject: Subject) -> pl.DataFrame:
    named = pl.col("session_id") == subject.id if subject.kind == "session" else _told("userId", subject)
    tables = (RAW_SESSIONS, RAW_EVENTS, *([RAW_CMCD] if subject.kind == "session" else []))
    whose = (pl.col("tenant") == subject.tenant) & named
    found = [store.lake.read(table, lambda raw: raw.filter(whose)) for table in tables]
    absent = pl.lit(None, INSTANT).alias("identity_at")
    complete = [rows if "identity_at" in rows.columns else rows.with_columns(absent) for rows in found]
    return pl.concat([rows.select(IDENTITY) for rows in complete]).unique()


def _messages(store: Store, subject: Subject) -> pl.DataFrame:
    if subject.kind != "user":
        return pl.DataFrame(schema={"stream_id": pl.String, "message_id": pl.String, "untimely": pl.Boolean})
    theirs = (pl.col("tenant") == subject.tenant) & (_told("user_id", subject) | _told("username", subject))
    # A message placed by its arrival would be placed anew by that of a resend.
    untimely = pl.col("clock_suspect") | (pl.col("sent_at") > store.settings.now())
    return store.lake.read(
        RAW_CHAT, lambda raw: raw.filter(theirs).group_by(MESSAGE).agg(untimely=untimely.any()).sort(MESSAGE)
    )


def _bodies(store: Store, subject: Subject) -> pl.DataFrame:
    named = (pl.col("tenant") == subject.tenant) & (pl.col("user_id") == subject.id)
    theirs = named if subject.kind == "user" else pl.lit(value=False)
    with store.database.connect() as connection:
        waiting = outbox.waiting(connection, RAW_WATCHES).filter(theirs)
    return pl.concat([waiting, store.lake.read(RAW_WATCHES, lambda raw: raw.filter(theirs))]).unique("ingest_id")


def _told(name: str, subject: Subject) -> pl.Expr:
    return (pl.col("payload").str.json_path_match(f"$.{name}") == subject.id).fill_null(value=False)
