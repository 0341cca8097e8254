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
from ingest.raw_rows import KINDS, CmcdRequest, Event, Message, Record, Session, decoder
from warehouse.lake import Lake
from warehouse.landing import tombstones

AT_ONCE = 1_000
"""Records that are placed and made rows together: libraries hold the interpreter meanwhile, and requests wait."""

_log = structlog.get_logger("ingest.sealing")


class _Viewer(msgspec.Struct, gc=False, rename="camel"):
    """Who watched, as the body says."""

    user_id: str | None = None


class _Writer(msgspec.Struct, gc=False):
    """Who wrote, as the body says."""

    user_id: str | None = None
    username: str | None = None


_viewer = msgspec.json.Decoder(_Viewer)
_writer = msgspec.json.Decoder(_Writer)


def seal(connection: psycopg.Connection, lake: Lake, folder: Folder, seq: int, end: int | None = None) -> int:
    """Append a closed, wholly followed segment to the raw tables of its records and unlink it; return its records.

    The worker id and the segment's number are the transaction in a table's log, so that what was already appended is
    not repeated. A worker's segments must be sealed in order. A damaged one is kept beside the folders.
    """
    path = folder.segment(seq)
    records, damaged = _load(path, end)
    remembered = _remembered(connection, records)
    for record_type, kind in KINDS.items():
        found = [record for record in remembered if type(record) is record_type]
        if found:
            parts = [found[first : first + AT_ONCE] for first in range(0, len(found), AT_ONCE)]
            frame = pl.concat([kind.frame(connection, part) for part in parts])
            lake.append_once(kind.dataset, frame, app_id=folder.worker_id, version=seq)
    if damaged:
        kept = folder.path.parent / f"{folder.worker_id}-{seq}.damaged"
        shutil.copyfile(path, kept)
        _log.error("damaged journal segment kept", path=str(kept), records=len(records))
    path.unlink()
    return len(records)


def _load(path: Path, end: int | None) -> tuple[list[Record], bool]:
    records: list[Record] = []
    damaged = False
    for item in frames.read(path, 0, end):
        if isinstance(item, frames.Damage):
            damaged = True
        else:
            records += decoder.decode(item.data)
    return records, damaged


def _remembered(connection: psycopg.Connection, records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that no tombstone covers."""
    buried = tombstones.load(connection, {record.tenant for record in records})
    if not buried.forgotten_at:
        return records
    return [record for record in records if not _covered(buried, record)]


def _covered(buried: tombstones.Tombstones, record: Record) -> bool:
    match record:
        case Session() | Event():
            if buried.cover_session(*record.key):
                return True
            user_id = _viewer.decode(record.body).user_id
            return user_id is not None and buried.cover_user(record.tenant, user_id, _instant(record.started_at))
        case Message():
            writer = _writer.decode(record.body)
            message = tombstones.said(record.tenant, record.stream_id, record.message_id)
            return buried.cover_message(message, (writer.user_id, writer.username), _instant(record.sent_at))
        case CmcdRequest():
            return record.session_id is not None and buried.cover_session(record.tenant, record.session_id, None)
        case _:
            return False


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)
