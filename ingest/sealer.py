"""When a live worker seals: every 30 s, at a size, on request; and its look for folders that nobody holds.

How a segment is sealed is in `ingest.sealing`, how a folder is adopted in `ingest.recovery`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import psycopg
import structlog
from deltalake.exceptions import DeltaError

from ingest import background, recovery, sealing
from ingest.commit import GroupCommit
from ingest.follower import Follower, connect
from ingest.journal import Journal
from ingest.observer import Observer
from ingest.sealing_process import SealingFailedError, SealingProcess
from warehouse.lake import Lake

SEAL_EVERY_S = 30.0
SEAL_BYTES = 32 << 20
TICK_S = 0.1
ADOPT_EVERY_S = 30.0
MAX_BACKOFF_S = 10.0
SMALL_BYTES = 1 << 20
"""Up to which a segment is not worth a process."""

OUTSIDE = (psycopg.Error, DeltaError, OSError, SealingFailedError)
"""What Postgres, the lake and the disk raise when they are away: reported, and tried again."""

_log = structlog.get_logger("ingest.sealer")


class Sealer:
    """Seals one worker's segments in order. `troubles` says what keeps it from doing so."""

    def __init__(
        self, journal: Journal, commit: GroupCommit, follower: Follower, url: str, lake: Lake, observer: Observer
    ) -> None:
        self.troubles: dict[str, str] = {}
        self._journal, self._commit, self._follower = journal, commit, follower
        self._url, self._lake, self._observer = url, lake, observer
        self._aside = SealingProcess(journal.folder, url, lake)
        self._sealing = asyncio.Lock()
        self._requested: int | None = None
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to watch."""
        for name, step, every in (("sealing", self._tick, TICK_S), ("adopting", self._adopt, ADOPT_EVERY_S)):
            self._tasks.append(background.spawn(name, self._repeat(name, step, every), self._ended))

    async def stop(self, timeout_s: float) -> bool:
        """End after what is in hand; tell whether it came to an end in time."""
        self._stopping.set()
        _, stuck = await asyncio.wait(self._tasks, timeout=timeout_s)
        await background.cancel(stuck)
        return not stuck

    async def close(self) -> None:
        """End the sealing process."""
        await asyncio.to_thread(self._aside.close)

    async def seal_all(self) -> None:
        """Close the open segment, wait until Postgres has followed, seal everything.

        Raises what Postgres or the lake raise; nothing is lost then, the next call goes on.
        """
        await self._commit.in_order(self._journal.roll)
        for seq, end in sorted(self._journal.ends.copy().items()):
            if seq != self._journal.open_seq:
                await self.until_followed(seq, end)
        await self._seal_ready()

    async def until_followed(self, seq: int, end: int) -> None:
        """Return when Postgres has everything up to this position; raise RuntimeError when the follower has ended."""
        while not self._follower.past(seq, end):
            if self._follower.failure is not None:
                raise RuntimeError("the follower has ended") from self._follower.failure
            await asyncio.sleep(0.005)

    async def _tick(self) -> None:
        folder = self._journal.folder.path
        if self._requested is None and recovery.take_request(folder):
            self._requested = await self._commit.in_order(self._close_open)
        if (seq := self._journal.open_seq) is not None:
            age = time.monotonic() - self._journal.opened_at
            if age > SEAL_EVERY_S or self._journal.ends.get(seq, 0) > SEAL_BYTES:
                await self._commit.in_order(self._journal.roll)
        await self._seal_ready()
        await self._end_unused()
        oldest = min(self._journal.ends.copy(), default=None)
        if self._requested is not None and (oldest is None or oldest > self._requested):
            self._requested = None
            recovery.complete_request(folder)

    def _close_open(self) -> int:
        """Close the open segment; return the last one, before another append begins the next."""
        self._journal.roll()
        return max(self._journal.ends.copy(), default=0)

    async def _seal_ready(self) -> None:
        async with self._sealing:
            for seq in sorted(self._journal.ends.copy()):
                if seq == self._journal.open_seq:
                    return
                # Read once it is closed: while an earlier segment was sealed, this one may have been open and grown.
                end = self._journal.ends[seq]
                if not self._follower.past(seq, end):
                    return
                records = await background.aside(partial(self._seal, seq, end))
                self._journal.forget(seq)
                self._observer.sealed(records)

    async def _end_unused(self) -> None:
        async with self._sealing:
            if self._aside.unused:
                await background.aside(self._aside.close)

    def _seal(self, seq: int, end: int) -> int:
        if end > SMALL_BYTES:
            return self._aside.seal(seq, end)
        with connect(self._url) as connection:
            return sealing.seal(connection, self._lake, self._journal.folder, seq, end)

    async def _adopt(self) -> None:
        await background.aside(partial(recovery.adopt, self._journal.folder.path.parent, self._url, self._lake))

    async def _repeat(self, name: str, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        delay = every_s
        while not self._stopping.is_set():
            try:
                await step()
            except OUTSIDE as error:
                self.troubles[name] = f"{name} waits for {_cause(error)}: {type(error).__name__}"
                _log.warning("interrupted", task=name, reason=str(error).strip(), retry_s=delay)
                delay = min(max(delay, 0.5) * 2, MAX_BACKOFF_S)
            else:
                self.troubles.pop(name, None)
                delay = every_s
            await _pause(self._stopping, delay)

    def _ended(self, name: str, failure: BaseException) -> None:
        self.troubles[name] = f"{name} stopped: {failure!r}"


def _cause(error: Exception) -> str:
    if isinstance(error, SealingFailedError):
        return error.cause
    return "Postgres" if isinstance(error, psycopg.Error) else "the lake or its disk"


async def _pause(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
