"""Durable append: what is on disk is acknowledged, nothing else is.

A worker owns one folder, `<journal>/<worker id>/`, held by a lock on its `lock` file; `<seq>.journal` are its segments
(format: `ingest.frames`). The worker id is the transaction id of its segments in the lake. Who follows and seals the
segments is not known here.
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import structlog

from ingest.errors import ApiError, StorageFailed, StorageFull

SUFFIX = ".journal"
_LOCK = "lock"
_REMOVED = ".removed"
_log = structlog.get_logger("ingest.journal")


class Folder:
    """A worker's folder, held by this process until it is released or removed."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.worker_id = path.name
        self.lock = lock
        """The descriptor that holds the folder, also for a process that inherits it."""

    @classmethod
    def create(cls, journal_dir: Path) -> "Folder":
        """Make and hold the folder of a new worker."""
        while True:
            path = journal_dir / str(uuid4())
            path.mkdir(parents=True)
            if (folder := cls.claim(path)) is not None:
                _sync_directory(journal_dir)
                return folder
            # Somebody who adopts came between, saw that nobody holds it, and removed it.

    @classmethod
    def claim(cls, path: Path) -> "Folder | None":
        """Hold a folder; None when another process holds it or it is gone."""
        try:
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_ino == (path / _LOCK).stat().st_ino:
                return cls(path, lock)
        except (BlockingIOError, FileNotFoundError):
            pass  # held, or removed by its last holder between opening and locking
        os.close(lock)
        return None

    @classmethod
    def abandoned(cls, journal_dir: Path) -> Iterator["Folder"]:
        """Claim, one after the other, every folder that nobody holds."""
        for path in folders(journal_dir):
            if (folder := cls.claim(path)) is not None:
                yield folder
        for path in journal_dir.glob(f"*{_REMOVED}"):  # half-removed by somebody who is at it, or who died
            shutil.rmtree(path, ignore_errors=True)

    def segments(self) -> list[int]:
        """Return the numbers of the segments on disk, oldest first."""
        return sorted(int(path.stem) for path in self.path.glob(f"*{SUFFIX}"))

    def segment(self, seq: int) -> Path:
        """Return the path of a segment."""
        return self.path / f"{seq:012d}{SUFFIX}"

    def release(self) -> None:
        """Let another worker adopt the folder."""
        os.close(self.lock)

    def remove(self) -> None:
        """Delete the folder, which must hold no segment, and let go of it."""
        if segments := self.segments():
            raise StorageFailed(f"{self.segment(segments[0])} is not sealed")
        gone = self.path.with_suffix(_REMOVED)  # in one step, so that nobody claims or asks a half-removed folder
        self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
        self.release()


def folders(journal_dir: Path) -> list[Path]:
    """Return the folders of workers, in order; those that are being removed are none any more."""
    found = journal_dir.iterdir() if journal_dir.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and path.suffix != _REMOVED)


class Journal:
    """Appends to the segments of one folder. Every method that writes belongs to one thread; readers may be others.

    `ends` maps each segment to the offset up to which it is on disk. A closed segment never grows.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.ends: dict[int, int] = {}
        self.open_seq: int | None = None
        self.opened_at = 0.0
        """When the open segment was begun, by `time.monotonic`."""
        self._descriptor = -1
        self._next_seq = 1

    def append(self, frames: bytes) -> tuple[int, int]:
        """Write frames and wait until they are on disk; return segment and end.

        Raises StorageFull or StorageFailed. Nothing of the frames is kept then and the segment is closed: a
        failed write is never retried, for the kernel may have dropped what it could not bring to disk.
        """
        try:
            seq = self._begin() if self.open_seq is None else self.open_seq
        except OSError as error:
            raise _refusal(error) from error
        good = self.ends[seq]
        try:
            _write(self._descriptor, frames)
        except OSError as error:
            self._give_up(seq, good)
            raise _refusal(error) from error
        self.ends[seq] = good + len(frames)
        return seq, self.ends[seq]

    def roll(self) -> None:
        """Close the open segment, if there is one; the next append begins another."""
        if self.open_seq is not None:
            os.close(self._descriptor)
            self.open_seq = None

    def forget(self, seq: int) -> None:
        """Drop a segment that is gone from the books."""
        del self.ends[seq]

    def _begin(self) -> int:
        seq = self._next_seq
        # Written through: a write and an fdatasync would each give up the interpreter, and queue for it again.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_DSYNC
        descriptor = os.open(self.folder.segment(seq), flags, 0o600)
        self._next_seq += 1
        try:
            _sync_directory(self.folder.path)
        except OSError:
            os.close(descriptor)
            self.folder.segment(seq).unlink()
            raise
        self._descriptor, self.opened_at = descriptor, time.monotonic()
        self.ends[seq] = 0
        self.open_seq = seq
        return seq

    def _give_up(self, seq: int, good: int) -> None:
        with suppress(OSError):  # the checksum or the sender's repeat settles what cannot be cut off
            os.ftruncate(self._descriptor, good)
        with suppress(OSError):
            self.roll()
        self.open_seq = None
        if good == 0:  # on a full disk every append ends here: what holds nothing must not pile up
            with suppress(OSError):
                self.folder.segment(seq).unlink()
                self.forget(seq)
        _log.error("journal segment closed after a failed append", segment=seq, kept=good)


def _write(descriptor: int, frames: bytes) -> None:
    view = memoryview(frames)
    while view:
        view = view[os.write(descriptor, view) :]


def _refusal(error: OSError) -> ApiError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull("The disk is full; nothing was stored")
    return StorageFailed("The journal could not be written; nothing was stored")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
