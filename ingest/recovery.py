"""What crashed or stopped workers left behind, and `drain`, which brings all that has landed into Postgres and raw.

A folder that nobody holds is adopted: followed from its beginning and sealed, which repeats nothing that was done. A
folder that a live worker holds is sealed by that worker, on request.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest import following, sealing
from ingest.follower import connect
from ingest.journal import Folder, folders
from warehouse.lake import Lake
from warehouse.landing import outbox
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

POLL_S = 0.02
_REQUEST = "seal.request"
_SEALING = "seal.working"
_log = structlog.get_logger("ingest.recovery")


class DrainTimeoutError(TimeoutError):
    """A live worker did not seal in time; the message names it."""


@dataclass(frozen=True)
class Drained:
    """What a drain did: folders it adopted with their records, and live workers that sealed when asked."""

    adopted: int
    records: int
    workers: int


def request(folder: Path) -> bool:
    """Ask the worker that holds a folder to seal; False when the folder is gone."""
    try:
        (folder / _REQUEST).touch()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def take_request(folder: Path) -> bool:
    """Tell the holder of a folder whether sealing is asked for, and mark the request as taken.

    A request that comes while one is being served is a new one: what landed in between is its concern.
    """
    try:
        (folder / _REQUEST).rename(folder / _SEALING)
    except FileNotFoundError:
        return (folder / _SEALING).exists()
    return True


def complete_request(folder: Path) -> None:
    """Tell who asked that everything up to the taken request is sealed."""
    (folder / _SEALING).unlink(missing_ok=True)


def settle(folder: Folder, url: str, lake: Lake) -> int:
    """Follow and seal every segment of a held folder that nobody appends to, and remove it; return its records.

    Raises what Postgres or the lake raise; the folder is let go of then, and left to the next who looks.
    """
    sealed = 0
    try:
        with connect(url) as connection:
            for seq in folder.segments():
                for chunk in following.chunks(folder.segment(seq)):
                    following.follow(connection, chunk.data)
                sealed += sealing.seal(connection, lake, folder, seq)
        folder.remove()
    except BaseException:
        folder.release()
        raise
    _log.info("journal folder adopted and sealed", worker=folder.worker_id, records=sealed)
    return sealed


def adopt(journal_dir: Path, url: str, lake: Lake) -> tuple[int, int]:
    """Settle every folder that nobody holds; return how many, and their records."""
    settled = [settle(folder, url, lake) for folder in Folder.abandoned(journal_dir)]
    return len(settled), sum(settled)


def drain(storage: StorageSettings, database: Database, lake: Lake, *, timeout_s: float) -> Drained:
    """Return when everything acknowledged before the call is in Postgres and in the raw tables.

    Raises DrainTimeoutError when a live worker does not manage, and what Postgres or the lake raise.
    """
    deadline = time.monotonic() + timeout_s
    url = database.libpq_url
    adopted, records = adopt(storage.journal_dir, url, lake)
    asked = [path for path in folders(storage.journal_dir) if request(path)]
    waiting = set(asked)
    while waiting:
        waiting = {path for path in waiting if (path / _REQUEST).exists() or (path / _SEALING).exists()}
        for path in sorted(waiting):
            if (folder := Folder.claim(path)) is not None:
                adopted, records = adopted + 1, records + settle(folder, url, lake)
        if waiting and time.monotonic() > deadline:
            names = ", ".join(path.name for path in sorted(waiting))
            raise DrainTimeoutError(f"not sealed within {timeout_s:g} s by worker {names}")
        time.sleep(POLL_S if waiting else 0)
    with database.connect() as connection:
        outbox.seal(connection, lake)
    return Drained(adopted, records, len(asked))
