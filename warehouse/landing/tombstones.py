"""Who and what was forgotten, as hashes: what keeps a resend, a replay or a rebuild from bringing it back.

Deleting is in `warehouse.governance.forgetting`. The statements that follow the journal apply the rule in SQL
(`FORGOTTEN…`), sealing applies it in Python (`Tombstones`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, LiteralString

import psycopg

Kind = Literal["session", "identity", "user", "body"]

SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Subject:
    """What is to be forgotten of one tenant: `session`, every session of this id; `user`, everything of theirs.

    An `identity` is one session of a user: its id is made by `identity`, for numeric ids name many sessions. A `body`
    is one that a user sent: to the tracker (`sent`), or a chat message whose time the rule for users cannot judge
    (`said`).
    """

    kind: Kind
    tenant: str
    id: str

    @property
    def sha256(self) -> bytes:
        """The hash that a tombstone keeps in place of the id."""
        return sha256(SEPARATOR.join((self.kind, self.tenant, self.id)).encode()).digest()


def identity(tenant: str, session_id: str, identity_at_ms: int | None) -> Subject:
    """Return one session as a subject; `identity_at_ms` is null for text ids."""
    return Subject("identity", tenant, f"{session_id}{SEPARATOR}{'' if identity_at_ms is None else identity_at_ms}")


def sent(tenant: str, user_id: str, route: str, payload: str) -> Subject:
    """Return a body of the tracker as a subject."""
    return Subject("body", tenant, SEPARATOR.join((user_id, route, payload)))


def said(tenant: str, stream_id: str, message_id: str) -> Subject:
    """Return a chat message as a subject."""
    return Subject("body", tenant, SEPARATOR.join((stream_id, message_id)))


def cover(connection: psycopg.Connection, subject: Subject) -> bool:
    """Tell whether just this was forgotten. Raises psycopg errors."""
    found = connection.execute(
        "SELECT FROM tombstones WHERE tenant = %s AND kind = %s AND sha256 = %s",
        (subject.tenant, subject.kind, subject.sha256),
    )
    return found.rowcount > 0


@dataclass(frozen=True)
class Tombstones:
    """The tombstones of some tenants, by hash; the time is when they were set."""

    forgotten_at: dict[bytes, datetime]

    def cover_session(self, tenant: str, session_id: str, identity_at_ms: int | None) -> bool:
        """Tell whether the session was forgotten: it never comes back."""
        named = Subject("session", tenant, session_id), identity(tenant, session_id, identity_at_ms)
        return any(subject.sha256 in self.forgotten_at for subject in named)

    def cover_message(self, message: Subject, writers: Iterable[str | None], sent_at: datetime) -> bool:
        """Tell whether a chat message was forgotten, itself (`said`) or with one of the names of who wrote it."""
        named = (name for name in writers if name is not None)
        return message.sha256 in self.forgotten_at or any(
            self.cover_user(message.tenant, name, sent_at) for name in named
        )

    def cover_user(self, tenant: str, user_id: str, started_at: datetime) -> bool:
        """Tell whether what the user began then was forgotten: what begins afterwards is new."""
        since = self.forgotten_at.get(Subject("user", tenant, user_id).sha256)
        return since is not None and started_at <= since


def bury(connection: psycopg.Connection, subjects: Iterable[Subject], now: datetime) -> None:
    """Set tombstones, or renew them. Raises psycopg errors."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO tombstones (tenant, kind, sha256, forgotten_at) VALUES (%s, %s, %s, %s)
            ON CONFLICT (tenant, kind, sha256) DO UPDATE SET forgotten_at = EXCLUDED.forgotten_at
            """,
            [(subject.tenant, subject.kind, subject.sha256, now) for subject in subjects],
        )


def load(connection: psycopg.Connection, tenants: Iterable[str]) -> Tombstones:
    """Return the tombstones of these tenants. Raises psycopg errors."""
    rows = connection.execute(
        "SELECT sha256, forgotten_at FROM tombstones WHERE tenant = ANY(%s)", (sorted(set(tenants)),)
    )
    return Tombstones({bytes(digest): at for digest, at in rows})


def _named(kind: Kind, name: LiteralString) -> LiteralString:
    hashed = f"sha256(convert_to('{kind}' || chr(31) || record.tenant || chr(31) || {name}, 'UTF8'))"
    return (
        f"SELECT FROM tombstones AS gone WHERE gone.tenant = record.tenant AND gone.kind = '{kind}'"
        f" AND gone.sha256 = {hashed}"
    )


def _session(identity: LiteralString, started_at: LiteralString) -> LiteralString:
    named = f"EXISTS ({_named('session', 'record.session_id')}) OR EXISTS ({_named('identity', identity)})"
    return f"{named} OR EXISTS ({_named('user', _USER)} AND {started_at} <= gone.forgotten_at)"


_USER: LiteralString = "(record.body ->> 'userId')"
_IDENTITY: LiteralString = """
    record.session_id || chr(31) || coalesce((extract(epoch FROM record.identity_at) * 1000)::bigint::text, '')
"""

FORGOTTEN: LiteralString = _session(_IDENTITY, "record.started_at")
"""SQL: whether `record` (tenant, session_id, identity_at, started_at, body) must not be kept."""

FORGOTTEN_EVENT: LiteralString = _session("record.session_id || chr(31)", "to_timestamp(record.started_at / 1000.0)")
"""The same of a player event (tenant, session_id, started_at in epoch ms, body)."""

_SENT_BEFORE: LiteralString = "to_timestamp(record.sent_at / 1000.0) <= gone.forgotten_at"

FORGOTTEN_MESSAGE: LiteralString = f"""
    EXISTS ({_named("user", "(record.body ->> 'user_id')")} AND {_SENT_BEFORE})
    OR EXISTS ({_named("user", "(record.body ->> 'username')")} AND {_SENT_BEFORE})
    OR EXISTS ({_named("body", "record.stream_id || chr(31) || record.message_id")})
"""
"""The same of a chat message (tenant, stream_id, message_id, sent_at in epoch ms, body)."""
