"""Landed records in Postgres: the newest send of each id, and the quarantine of what Postgres refuses.

A landing record is one JSON object (see `ingest.payloads`), a batch a JSON array of them. When batches come and what
happens to a refused one is decided in `ingest`; the same sends in the lake are cleaned in `warehouse.metrics.sessions`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from warehouse.landing import live_statements, partitions
from warehouse.landing.statements import FOLLOW, PLACEMENTS

ATTEMPTS = 5
"""How often a batch is tried that meets a deadlock or a partition being made."""

STATEMENTS: dict[str, tuple[str, ...]] = {
    "session": (FOLLOW,),
    "stream": (live_statements.STREAMS,),
    "chat": (live_statements.CHAT,),
    "viewers": (live_statements.VIEWERS,),
    "event": (live_statements.PLACE_EVENTS, live_statements.EVENTS),
    "cmcd": (),
}
"""What brings the records of each kind into Postgres, in this order; CMCD goes to the lake only."""

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal() - _EPOCH
_REFUSALS = (
    errors.DataError,
    errors.IntegrityError,
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
    msgspec.DecodeError,
)


@dataclass(frozen=True)
class Followed:
    """What a batch did: `rows` that it inserted or replaced by a newer send."""

    rows: int


class SessionKey(NamedTuple):
    """What identifies a session; `identity_at` in epoch ms, null for text ids."""

    tenant: str
    session_id: str
    identity_at: int | None


@dataclass(frozen=True)
class Placements:
    """What Postgres knows of landed records.

    `started_at` holds the final placement, epoch ms, of each session that it knows; `refused` the reason, by ingest_id.
    """

    started_at: dict[SessionKey, int]
    refused: dict[str, str]


class _Head(msgspec.Struct, gc=False):
    kind: str
    started_at: int | None = None


_heads = msgspec.json.Decoder(list[_Head])
_records = msgspec.json.Decoder(list[msgspec.Raw])


def follow(connection: psycopg.Connection, batch: bytes) -> Followed:
    """Bring a batch (a JSON array of landing records) into the tables of their kinds, one statement each.

    All of it or nothing, in one transaction; repeating it changes nothing, nor does the order of batches, except that
    the first one to come places a session. The connection must not be in a transaction. Raises psycopg errors and, for
    what is not a batch, `msgspec.DecodeError`: `is_refusal` tells whether a row is to blame.
    """
    heads = _decode(batch)
    partitions.ensure(connection, _months(heads))
    parts = list(_by_kind(batch, heads))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with connection.transaction():
                return Followed(sum(_execute(connection, kind, part) for kind, part in parts))
        except (errors.DeadlockDetected, errors.SerializationFailure, errors.CheckViolation):
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _execute(connection: psycopg.Connection, kind: str, part: bytes) -> int:
    rows = 0
    for statement in STATEMENTS[kind]:
        rows = connection.execute(statement, {"batch": part}).rowcount
    return rows


def _by_kind(batch: bytes, heads: Sequence[_Head]) -> Iterator[tuple[str, bytes]]:
    """Yield the records of each kind as a batch; a batch of one kind is passed on as it is."""
    kinds = {head.kind for head in heads}
    if unknown := kinds - STATEMENTS.keys():
        raise msgspec.DecodeError(f"unknown kind of record: {', '.join(sorted(unknown))}")
    if len(kinds) == 1:
        yield kinds.pop(), batch
        return
    records = _records.decode(batch)
    for kind in STATEMENTS:
        if kind in kinds:
            found = (bytes(record) for record, head in zip(records, heads, strict=True) if head.kind == kind)
            yield kind, b"[" + b",".join(found) + b"]"


def is_refusal(error: BaseException) -> bool:
    """Tell whether a record is to blame: the same batch would be refused again, a smaller one may pass.

    False when Postgres is away or busy, and for faults of the program.
    """
    return isinstance(error, _REFUSALS)


def quarantine(connection: psycopg.Connection, record: bytes, reason: str) -> None:
    """Keep one refused landing record with the reason; a repeat changes nothing. Raises psycopg errors."""
    tenant, ingest_id = _provenance(record)
    # Postgres stores no NUL, and text only in UTF-8.
    text = record.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    connection.execute(
        "INSERT INTO quarantine (ingest_id, tenant, reason, record) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (ingest_id, tenant, reason.replace("\0", "\\x00"), text),
    )


def placements(connection: psycopg.Connection, keys: Iterable[SessionKey], ingest_ids: Sequence[str]) -> Placements:
    """Return where these sessions are placed, and which of these sends were refused. Raises psycopg errors."""
    asked = [key for key in dict.fromkeys(keys) if "\0" not in key.session_id]
    columns = [list(column) for column in zip(*asked, strict=True)] or [[], [], []]
    rows = connection.execute(PLACEMENTS, columns).fetchall()
    refused = connection.execute(
        "SELECT ingest_id::text, reason FROM quarantine WHERE ingest_id = ANY(%s::uuid[])", (list(ingest_ids),)
    ).fetchall()
    return Placements({SessionKey(*row[:3]): row[3] for row in rows}, dict(refused))


def _decode(batch: bytes) -> list[_Head]:
    try:
        return _heads.decode(batch)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error


def _months(heads: Iterable[_Head]) -> set[date]:
    days = {head.started_at // _DAY_MS for head in heads if head.kind == "session" and head.started_at is not None}
    # What no calendar holds is left to Postgres to refuse.
    return {date.fromordinal(_EPOCH + day).replace(day=1) for day in days if 0 <= day <= _LAST_DAY}


def _provenance(record: bytes) -> tuple[str, UUID]:
    """Return tenant and ingest_id; for what is not a landing record an empty tenant and a number made of its bytes."""
    try:
        decoded = json.loads(record)
        return str(decoded["tenant"]), UUID(decoded["ingest_id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", UUID(bytes=blake2b(record, digest_size=16).digest())
