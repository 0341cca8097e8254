"""One step of following: frames merged into a statement, a refused row found and quarantined.

Runs on a connection it is given and never reconnects; the thread that tails the journal is in `ingest.follower`. The
statement itself is in `warehouse.landing`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psycopg
import structlog

from ingest import frames
from warehouse import landing

MERGE_RECORDS = 2_000
MERGE_BYTES = 8 << 20

_log = structlog.get_logger("ingest.following")
_decoder = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one statement takes: a JSON array of `records` landing records, up to `end` of the segment."""

    data: bytes
    records: int
    end: int


def chunks(path: Path, start: int = 0, end: int | None = None) -> Iterator[Chunk]:
    """Yield the frames of a segment, merged up to about `MERGE_RECORDS`; report damage and go on behind it."""
    parts: list[bytes] = []
    records = size = reached = 0
    for item in frames.read(path, start, end):
        if isinstance(item, frames.Damage):
            _log.error("journal segment is damaged", segment=str(path), start=item.start, end=item.end)
            reached = item.end
            continue
        if parts and (records + item.records > MERGE_RECORDS or size + len(item.data) > MERGE_BYTES):
            yield Chunk(_merged(parts), records, reached)
            parts, records, size, reached = [], 0, 0, 0
        parts.append(item.data)
        records += item.records
        size += len(item.data)
        reached = item.end
    if reached:
        yield Chunk(_merged(parts), records, reached)


def _merged(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"[" + b",".join(part[1:-1] for part in parts) + b"]"


def follow(connection: psycopg.Connection, batch: bytes) -> int:
    """Bring a JSON array of landing records into Postgres; return how many rows were quarantined.

    A row that Postgres refuses is found by halving the batch; its neighbours proceed. Repeating a batch changes
    nothing. Raises `psycopg.Error` for everything that is not the fault of a row.
    """
    if batch == b"[]":
        return 0
    try:
        landing.follow(connection, batch)
    except (psycopg.Error, msgspec.DecodeError) as error:
        if not landing.is_refusal(error):
            raise
        return _bisect(connection, _decoder.decode(batch), error)
    return 0


def _bisect(connection: psycopg.Connection, records: list[msgspec.Raw], error: Exception) -> int:
    if len(records) == 1:
        reason = (error.diag.message_primary if isinstance(error, psycopg.Error) else None) or str(error)
        landing.quarantine(connection, bytes(records[0]), reason)
        _log.error("row quarantined", reason=reason)
        return 1
    middle = len(records) // 2
    return sum(
        follow(connection, b"[" + b",".join(map(bytes, half)) + b"]") for half in (records[:middle], records[middle:])
    )
