"""Group commit: concurrent requests share one append.

While a group is being written the next one gathers; when nothing is in flight a request is written at once. What
happens to the data after it is on disk is not decided here.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from ingest import frames
from ingest.errors import Overloaded
from ingest.journal import Journal

FRAME_RECORDS = 2_000
"""Most records of one frame: what one statement takes."""

MAX_WAITING_BYTES = 128 << 20
"""Bytes that may wait for the disk; beyond it the answer is 503."""

MAX_GROUP_BYTES = 16 << 20

SMALL_GROUP_BYTES = 256 << 10
"""Up to which the loop frames a group: the thread then has to wait for the interpreter once less."""

T = TypeVar("T")
_Waiting = tuple[Sequence[bytes], int, asyncio.Future[None]]


class GroupCommit:
    """Appends to one journal, from one event loop.

    `on_disk(records, (segment, end))` is called in the loop after each append.
    """

    def __init__(self, journal: Journal, on_disk: Callable[[int, tuple[int, int]], None]) -> None:
        self._journal = journal
        self._on_disk = on_disk
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._calls: SimpleQueue[tuple[Callable[[], Any], Callable[[Any], None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Requests that wait for the disk."""
        return len(self._waiting)

    async def land(self, records: Sequence[bytes]) -> None:
        """Return when the records are on disk. Raises Overloaded, StorageFull or StorageFailed: none is kept then."""
        size = sum(map(len, records))
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded("Too much is waiting to be stored")
        done = self._loop.create_future()
        self._waiting.append((records, size, done))
        self._waiting_bytes += size
        self._call_group()
        await done

    async def in_order(self, call: Callable[[], T]) -> T:
        """Run a call on the journal's own thread, between appends."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._calls.put((call, partial(_settle, done)))
        return await done

    async def settle(self) -> None:
        """Return when nothing is in flight."""
        await self._idle.wait()

    def close(self) -> None:
        """End the journal's thread; nothing may be landed afterwards."""
        self._calls.put(None)
        self._thread.join()

    def _call_group(self) -> None:
        """Have what waits written at the end of the loop's turn, with what comes until then."""
        self._idle.clear()
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        group = self._take()
        records = [record for part, _, _ in group for record in part]
        if sum(size for _, size, _ in group) <= SMALL_GROUP_BYTES:
            call = partial(self._journal.append, _framed(records))
        else:
            call = partial(self._frame_and_append, records)
        self._calls.put((call, partial(self._written, group, len(records))))

    def _frame_and_append(self, records: Sequence[bytes]) -> tuple[int, int]:
        return self._journal.append(_framed(records))

    def _take(self) -> list[_Waiting]:
        taken = size = 0
        while taken < len(self._waiting) and (taken == 0 or size < MAX_GROUP_BYTES):
            size += self._waiting[taken][1]
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    def _written(self, group: list[_Waiting], records: int, outcome: tuple[int, int] | BaseException) -> None:
        self._busy = False
        self._waiting_bytes -= sum(size for _, size, _ in group)
        if not isinstance(outcome, BaseException):
            self._on_disk(records, outcome)
        for _, _, done in group:
            _settle(done, outcome if isinstance(outcome, BaseException) else None)
        if self._waiting:
            self._call_group()
        else:
            self._idle.set()

    def _work(self) -> None:
        while (task := self._calls.get()) is not None:
            call, settle = task
            try:
                outcome = call()
            except Exception as failure:  # noqa: BLE001 - raised where the call is awaited
                outcome = failure
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(settle, outcome)


def _settle(done: asyncio.Future[T], outcome: T | BaseException) -> None:
    if done.cancelled():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)


def _framed(records: Sequence[bytes]) -> bytes:
    if len(records) <= FRAME_RECORDS:
        return frames.encode(records)
    parts = (records[start : start + FRAME_RECORDS] for start in range(0, len(records), FRAME_RECORDS))
    return b"".join(frames.encode(part) for part in parts)
