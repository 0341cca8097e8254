"""Sealing large segments in a process of its own, at a lower priority: in the worker it would hold the interpreter
that requests need, and the memory of the largest segment for ever.

How a segment is sealed is in `ingest.sealing`, when in `ingest.sealer`. `python -m ingest.sealing_process` is the other
end: one JSON object a line in and out, until its standard input ends.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import msgspec
import psycopg
from deltalake.exceptions import DeltaError

from ingest import sealing
from ingest.follower import connect
from ingest.journal import Folder
from warehouse.lake import Lake

NICENESS = 10

CLOSE_S = 5.0
"""How long what is in hand may take when the worker ends."""

IDLE_S = 5.0
"""After how long without work the process ends, and with it the memory that the largest segment took."""


class SealingFailedError(Exception):
    """The process met what keeps it from sealing, or has ended. `cause` is what is away, the message says how."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class Task(msgspec.Struct):
    """A closed, followed segment; the URL comes this way because a command line can be read by everybody."""

    url: str
    lake_url: str
    dimensions: dict[str, str]
    folder: str
    lock: int
    seq: int
    end: int


class Sealed(msgspec.Struct):
    """What became of a task: its records, or what was away and how it failed."""

    records: int = 0
    away: str | None = None
    failure: str = ""


class SealingProcess:
    """One process, started when needed and ended when idle.

    It shares the folder's lock, so that nobody adopts what it works on.
    """

    def __init__(self, folder: Folder, url: str, lake: Lake) -> None:
        self._folder, self._url, self._lake = folder, url, lake
        self._process: subprocess.Popen[bytes] | None = None
        self._used_at = 0.0

    @property
    def unused(self) -> bool:
        """Whether there is a process that had nothing to do for `IDLE_S`."""
        return self._process is not None and time.monotonic() - self._used_at > IDLE_S

    def seal(self, seq: int, end: int) -> int:
        """Seal a segment as `sealing.seal` does and return its records; blocks. Raises SealingFailedError.

        A segment that is gone was unlinked by a process that ended before it said so: 0 records.
        """
        if not self._folder.segment(seq).exists():
            return 0
        process = self._process = self._process or self._start()
        stdin, stdout = _pipes(process)
        folder = self._folder
        task = Task(self._url, self._lake.url, self._lake.dimensions, str(folder.path), folder.lock, seq, end)
        try:
            stdin.write(msgspec.json.encode(task) + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            raise SealingFailedError("its process", "the sealing process ended")
        self._used_at = time.monotonic()
        sealed = msgspec.json.decode(line, type=Sealed)
        if sealed.away is not None:
            raise SealingFailedError(sealed.away, sealed.failure)
        return sealed.records

    def close(self) -> None:
        """End the process; one that is stuck is killed, which loses nothing."""
        process, self._process = self._process, None
        if process is not None:
            stdin, stdout = _pipes(process)
            try:
                stdin.close()
                process.wait(CLOSE_S)
            except (subprocess.TimeoutExpired, BrokenPipeError):
                process.kill()
                process.wait()
            stdout.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "ingest.sealing_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._folder.lock],
            start_new_session=True,  # Ctrl-C is for the worker, which then closes this
        )


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process was started without pipes")
    return process.stdin, process.stdout


def _perform(task: Task) -> Sealed:
    lake = Lake(task.lake_url, task.dimensions)
    try:
        with connect(task.url) as connection:
            folder = Folder(Path(task.folder), task.lock)
            return Sealed(sealing.seal(connection, lake, folder, task.seq, task.end))
    except (psycopg.Error, DeltaError, OSError) as error:
        away = "Postgres" if isinstance(error, psycopg.Error) else "the lake or its disk"
        return Sealed(away=away, failure=f"{type(error).__name__}: {str(error).strip()}")


def main() -> None:
    """Seal what is asked for until nobody asks any more."""
    os.nice(NICENESS)
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(_perform(msgspec.json.decode(line, type=Task))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
