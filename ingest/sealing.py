"""Closed journal segments become rows of the raw tables, once, and are unlinked.

Needs the segment wholly followed: placements and refusals come from Postgres. When to seal is decided in
`ingest.sealer` (a live worker) and `ingest.recovery` (a folder that nobody holds).
"""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import psycopg
import structlog

from ingest import frames
from ingest.journal import Folder
from warehouse import landing, tombstones
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake

AT_ONCE = 1_000
"""Records that are placed and made rows together: libraries hold the interpreter meanwhile, and requests wait."""

_log = structlog.get_logger("ingest.sealing")


class _Record(msgspec.Struct, gc=False):
    """A landing record as `ingest.payloads` writes it: `received_at` in microseconds, other instants in ms."""

    tenant: str
    ingest_id: str
    received_at: int
    session_id: str
    identity_at: int | None
    started_at: int
    sent_at: int
    clock_suspect: bool
    body: msgspec.Raw

    @property
    def started(self) -> datetime:
        return datetime.fromtimestamp(self.started_at / 1_000, UTC)

    @property
    def key(self) -> landing.SessionKey:
        return landing.SessionKey(self.tenant, self.session_id, self.identity_at)


class _Viewer(msgspec.Struct, gc=False, rename="camel"):
    """Who watched, as the body says."""

    user_id: str | None = None


_viewer = msgspec.json.Decoder(_Viewer)
_decoder = msgspec.json.Decoder(list[_Record])


def seal(connection: psycopg.Connection, lake: Lake, folder: Folder, seq: int, end: int | None = None) -> int:
    """Append a closed, wholly followed segment to `raw_sessions` and unlink it; return its records.

    The worker id and the segment's number are the transaction in the table's log, so that a segment which was already
    appended is only unlinked. A worker's segments must be sealed in order. A damaged one is kept beside the folders.
    """
    path = folder.segment(seq)
    records, damaged = _load(path, end)
    if records:
        parts = [records[first : first + AT_ONCE] for first in range(0, len(records), AT_ONCE)]
        frame = pl.concat([_placed(connection, part) for part in parts])
        lake.append_once(RAW_SESSIONS, frame, app_id=folder.worker_id, version=seq)
    if damaged:
        kept = folder.path.parent / f"{folder.worker_id}-{seq}.damaged"
        shutil.copyfile(path, kept)
        _log.error("damaged journal segment kept", path=str(kept), records=len(records))
    path.unlink()
    return len(records)


def _load(path: Path, end: int | None) -> tuple[list[_Record], bool]:
    records: list[_Record] = []
    damaged = False
    for item in frames.read(path, 0, end):
        if isinstance(item, frames.Damage):
            damaged = True
        else:
            records += _decoder.decode(item.data)
    return records, damaged


def _placed(connection: psycopg.Connection, landed: Sequence[_Record]) -> pl.DataFrame:
    records = _remembered(connection, landed)
    placed = landing.placements(connection, (r.key for r in records), [r.ingest_id for r in records])
    return _frame(records, placed)


def _remembered(connection: psycopg.Connection, records: Sequence[_Record]) -> Sequence[_Record]:
    """Return the records that no tombstone covers."""
    buried = tombstones.load(connection, {record.tenant for record in records})
    if not buried.forgotten_at:
        return records
    return [record for record in records if not _covered(buried, record)]


def _covered(buried: tombstones.Tombstones, record: _Record) -> bool:
    if buried.cover_session(*record.key):
        return True
    user_id = _viewer.decode(record.body).user_id
    return user_id is not None and buried.cover_user(record.tenant, user_id, record.started)


def _frame(records: Sequence[_Record], placed: landing.Placements) -> pl.DataFrame:
    """Return the rows of `RAW_SESSIONS`, each session under the placement of its first arrival."""
    started = [placed.started_at.get(record.key, record.started_at) for record in records]
    milliseconds = pl.Datetime("ms", "UTC")
    columns = {
        "tenant": pl.Series([r.tenant for r in records], dtype=pl.String),
        "ingest_id": pl.Series([r.ingest_id for r in records], dtype=pl.String),
        "received_at": pl.Series([r.received_at for r in records], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
        "session_id": pl.Series([r.session_id for r in records], dtype=pl.String),
        "identity_at": pl.Series([r.identity_at for r in records], dtype=pl.Int64).cast(milliseconds),
        "started_at": pl.Series(started, dtype=pl.Int64).cast(milliseconds),
        "sent_at": pl.Series([r.sent_at for r in records], dtype=pl.Int64).cast(milliseconds),
        "clock_suspect": pl.Series([r.clock_suspect for r in records], dtype=pl.Boolean),
        "refused": pl.Series([placed.refused.get(r.ingest_id) for r in records], dtype=pl.String),
        "payload": pl.Series([bytes(r.body).decode() for r in records], dtype=pl.String),
    }
    frame = pl.DataFrame(columns).with_columns(day=pl.col("started_at").dt.date())
    schema = RAW_SESSIONS.schema()
    return frame.select(schema.names()).cast(schema)
