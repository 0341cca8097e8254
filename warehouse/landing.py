"""Landed records in Postgres: the newest send of each session, and the quarantine of what Postgres refuses.

A landing record is one JSON object (see `ingest.payloads`), a batch a JSON array of them. When batches come and what
happens to a refused one is decided in `ingest`; the same sends in the lake are cleaned in `warehouse.metrics.sessions`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import errors

from warehouse import partitions
from warehouse.statements import FOLLOW, PLACEMENTS

ATTEMPTS = 5
"""How often a batch is tried that meets a deadlock or a partition being made."""

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
    """What a batch did: `rows` of `sessions` that it inserted or replaced by a newer send."""

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


class _Placed(msgspec.Struct, gc=False):
    started_at: int


_DECODER = msgspec.json.Decoder(list[_Placed])


def follow(connection: psycopg.Connection, batch: bytes) -> Followed:
    """Bring a batch (a JSON array of landing records) into `session_keys` and `sessions`, in one statement.

    All of it or nothing; repeating it changes nothing, nor does the order of batches, except that the first one to
    come places a session. The connection must not be in a transaction. Raises psycopg errors and, for what is not a
    batch, `msgspec.DecodeError`: `is_refusal` tells whether a row is to blame.
    """
    partitions.ensure(connection, _months(batch))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with connection.transaction():
                rows = connection.execute(FOLLOW, {"batch": batch}).rowcount
        except (errors.DeadlockDetected, errors.SerializationFailure, errors.CheckViolation):
            if attempt == ATTEMPTS:
                raise
        else:
            return Followed(rows)
    raise AssertionError("unreachable")


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


def _months(batch: bytes) -> set[date]:
    try:
        days = {record.started_at // _DAY_MS for record in _DECODER.decode(batch)}
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deeply") from error
    # What no calendar holds is left to Postgres to refuse.
    return {date.fromordinal(_EPOCH + day).replace(day=1) for day in days if 0 <= day <= _LAST_DAY}


def _provenance(record: bytes) -> tuple[str, UUID]:
    """Return tenant and ingest_id; for what is not a landing record an empty tenant and a number made of its bytes."""
    try:
        decoded = json.loads(record)
        return str(decoded["tenant"]), UUID(decoded["ingest_id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", UUID(bytes=blake2b(record, digest_size=16).digest())
