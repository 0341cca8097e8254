"""Group commit: concurrent requests share one append and one fdatasync.

While a group is being written the next one gathers; when nothing is in flight a request is written at once. What
happens to the data after it is on disk is not decided here.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ingest import frames
from ingest.errors import Overloaded
from ingest.journal import Journal

FRAME_RECORDS = 2_000
"""Most records of one frame: what one statement takes."""

MAX_WAITING_BYTES = 128 << 20
"""Bytes that may wait for the disk; beyond it the answer is 503."""

MAX_GROUP_BYTES = 16 << 20

T = TypeVar("T")


class GroupCommit:
    """Appends to one journal, from one event loop.

    `on_disk(records, (segment, end))` is called in the loop after each append.
    """

    def __init__(self, journal: Journal, on_disk: Callable[[int, tuple[int, int]], None]) -> None:
        self._journal = journal
        self._on_disk = on_disk
        self._waiting: list[tuple[Sequence[bytes], int, asyncio.Future[None]]] = []
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    @property
    def waiting(self) -> int:
        """Requests that wait for the disk."""
        return len(self._waiting)

    async def land(self, records: Sequence[bytes]) -> None:
        """Return when the records are on disk. Raises Overloaded, StorageFull or StorageFailed: none is kept then."""
        size = sum(map(len, records))
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded("Too much is waiting to be stored")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, size, done))
        self._waiting_bytes += size
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="group commit")
        await done

    async def in_order(self, call: Callable[[], T]) -> T:
        """Run a call on the journal's own thread, between appends."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def settle(self) -> None:
        """Return when nothing is in flight."""
        while self._writer is not None:
            await asyncio.wait([self._writer])

    def close(self) -> None:
        """End the journal's thread; nothing may be landed afterwards."""
        self._thread.shutdown()

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_group(self._take())
        finally:
            self._writer = None

    def _take(self) -> list[tuple[Sequence[bytes], int, asyncio.Future[None]]]:
        taken = size = 0
        while taken < len(self._waiting) and (taken == 0 or size < MAX_GROUP_BYTES):
            size += self._waiting[taken][1]
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _write_group(self, group: list[tuple[Sequence[bytes], int, asyncio.Future[None]]]) -> None:
        records = [record for part, _, _ in group for record in part]
        (outcome,) = await asyncio.gather(
            self.in_order(lambda: self._journal.append(_framed(records))), return_exceptions=True
        )
        self._waiting_bytes -= sum(size for _, size, _ in group)
        if not isinstance(outcome, BaseException):
            self._on_disk(len(records), outcome)
        for _, _, done in group:
            if done.cancelled():
                continue
            if isinstance(outcome, BaseException):
                done.set_exception(outcome)
            else:
                done.set_result(None)


def _framed(records: Sequence[bytes]) -> bytes:
    if len(records) <= FRAME_RECORDS:
        return frames.encode(records)
    parts = (records[start : start + FRAME_RECORDS] for start in range(0, len(records), FRAME_RECORDS))
    return b"".join(frames.encode(part) for part in parts)
