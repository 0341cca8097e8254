"""Journal to Postgres: tails a journal by (segment, offset) in a thread of its own.

It holds no payloads beyond the chunk in hand, so that memory is bounded however far Postgres is behind, and recovery
is the same code from offset 0. With Postgres away it reconnects with backoff and catches up.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

import psycopg
import structlog

from ingest import following
from ingest.journal import Journal

MAX_BACKOFF_S = 2.0

GATHER_S = 0.04
"""Rest after a statement unless a full one waits: under load fewer, larger statements leave the processors to requests.
The first record after a quiet moment is followed at once."""

_MARK_EVERY_S = 0.01
_log = structlog.get_logger("ingest.follower")


def connect(url: str) -> psycopg.Connection:
    """Open an autocommit connection that notices a dead server within seconds."""
    return psycopg.connect(
        url, autocommit=True, connect_timeout=5, keepalives_idle=5, keepalives_interval=2, tcp_user_timeout=10_000
    )


class Follower:
    """Follows one journal until it is stopped.

    `followed` counts records that are in Postgres or quarantined; `trouble` says what it is waiting for; `failure` is
    the exception that ended the thread, which nothing but a defect does.
    """

    def __init__(self, journal: Journal, url: str, observe: Callable[[int, float, float], None]) -> None:
        """`observe(records, statement seconds, lag seconds)` is called in the thread after each statement."""
        self.followed = 0
        self.quarantined = 0
        self.trouble: str | None = None
        self.failure: BaseException | None = None
        self._journal = journal
        self._url = url
        self._observe = observe
        self._position = (1, 0)
        self._marks: deque[tuple[int, float]] = deque()
        self._marks_lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._connection: psycopg.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the statement in hand; what is left is followed by who adopts the folder."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            _log.error("follower did not stop: Postgres does not answer")

    def appended(self, total: int) -> None:
        """Tell that `total` records are on disk by now."""
        now = time.monotonic()
        with self._marks_lock:
            if self._marks and now - self._marks[-1][1] < _MARK_EVERY_S:
                now = self._marks.pop()[1]
            self._marks.append((total, now))
        self._wake.set()

    def lag_s(self) -> float:
        """Return the age of the oldest record that is on disk and not in Postgres."""
        with self._marks_lock:
            return time.monotonic() - self._marks[0][1] if self._marks else 0.0

    def past(self, seq: int, offset: int) -> bool:
        """Tell whether everything up to this position of the journal is followed."""
        return self._position >= (seq, offset)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self._step():
                    self._wake.wait(1.0)
                    self._wake.clear()
                elif self._behind() < following.MERGE_RECORDS:
                    self._stopping.wait(GATHER_S)
        except BaseException as failure:
            self.failure = failure
            self.trouble = f"follower stopped: {failure!r}"
            _log.critical("follower stopped", exc_info=failure)
            raise
        finally:
            self._disconnect()

    def _behind(self) -> int:
        with self._marks_lock:
            return self._marks[-1][0] - self.followed if self._marks else 0

    def _step(self) -> bool:
        """Follow what is there in the present segment; return False when nothing is."""
        seq, offset = self._position
        closed = self._journal.open_seq != seq
        end = self._journal.ends.get(seq, 0)
        if offset < end:
            for chunk in following.chunks(self._journal.folder.segment(seq), offset, end):
                if not self._follow(seq, chunk):
                    break
            return True
        next_seq = min((later for later in self._journal.ends.copy() if later > seq), default=None)
        if not closed or next_seq is None:
            return False
        self._position = (next_seq, 0)
        return True

    def _follow(self, seq: int, chunk: following.Chunk) -> bool:
        """Bring one chunk into Postgres, however long it takes; return False when stopped before."""
        delay = 0.05
        while not self._stopping.is_set():
            started = time.perf_counter()
            try:
                if self._connection is None:
                    self._connection = connect(self._url)
                self.quarantined += following.follow(self._connection, chunk.data)
            except psycopg.Error as error:
                self._disconnect()
                self.trouble = f"Postgres does not take what has landed: {type(error).__name__}"
                _log.warning("following interrupted", reason=str(error).strip(), retry_s=delay)
                self._stopping.wait(delay)
                delay = min(delay * 2, MAX_BACKOFF_S)
                continue
            self._advance(seq, chunk, time.perf_counter() - started)
            return True
        return False

    def _advance(self, seq: int, chunk: following.Chunk, seconds: float) -> None:
        self.trouble = None
        self._observe(chunk.records, seconds, self.lag_s())
        self.followed += chunk.records
        self._position = (seq, chunk.end)
        with self._marks_lock:
            while self._marks and self._marks[0][0] <= self.followed:
                self._marks.popleft()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
