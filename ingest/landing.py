"""The landing of one process: group commit, follower and sealer over one journal folder.

What a record says is decided in `ingest.payloads`; here it is bytes that must not be lost.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from ingest.commit import GroupCommit
from ingest.errors import Overloaded, StorageFailed, StorageFull
from ingest.follower import Follower
from ingest.journal import Folder, Journal
from ingest.observer import Observer
from ingest.sealer import OUTSIDE, Sealer
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

MAX_BACKLOG = 1_000_000
"""Records on disk that Postgres has not followed yet; beyond it the answer is 503."""

LATE_S = 2.0
"""Lag from which Postgres counts as too slow: normally it is a fraction of a second."""

ROOM = 1 << 20
"""Free bytes from which a disk that was full counts as having room again."""

CLOSE_S = 5.0
"""How long closing waits for Postgres; what it has not followed then is adopted later."""

STOP_S = 2.0
"""How long closing waits for a statement in hand, besides."""

SEAL_S = 60.0
"""How long the last sealing may take on closing."""

_log = structlog.get_logger("ingest.landing")


class Landing:
    """Lands records, in one event loop. Open it with `Landing.open`."""

    def __init__(self, journal: Journal, url: str, lake: Lake, observer: Observer, max_backlog: int) -> None:
        self.appended = 0
        """Records that are on disk."""
        self._journal = journal
        self._observer = observer
        self._max_backlog = max_backlog
        self._position = (0, 0)
        self._refusal: StorageFull | StorageFailed | None = None
        self._follower = Follower(journal, url, observer.followed)
        self._commit = GroupCommit(journal, self._on_disk)
        self._sealer = Sealer(journal, self._commit, self._follower, url, lake, observer)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        storage: StorageSettings,
        database: Database,
        lake: Lake,
        *,
        observer: Observer | None = None,
        max_backlog: int = MAX_BACKLOG,
    ) -> AsyncIterator["Landing"]:
        """Take a journal folder of its own, follow and seal it, and adopt what others left; on exit, leave it settled.

        Where Postgres or the lake are away on exit the folder is left to be adopted.
        """
        folder = await asyncio.to_thread(Folder.create, storage.journal_dir)
        landing = cls(Journal(folder), database.libpq_url, lake, observer or Observer(), max_backlog)
        landing._follower.start()
        landing._sealer.start()
        try:
            yield landing
        finally:
            await landing._close()

    async def land(self, records: Sequence[bytes], *, wait: bool = False) -> None:
        """Return when the landing records are on disk, all of them or none.

        Past the bound of what Postgres may be behind it raises Overloaded, or with `wait` waits until there is room.
        Raises StorageFull or StorageFailed when the disk does not take them.
        """
        while self.full:
            if not wait:
                raise Overloaded("The database is too far behind")
            if self._follower.failure is not None:
                raise RuntimeError("the follower has ended") from self._follower.failure
            await asyncio.sleep(0.05)
        try:
            await self._commit.land(records)
        except (StorageFull, StorageFailed) as error:
            self._refusal = error
            raise

    async def followed(self) -> None:
        """Return when everything that is on disk is in Postgres or quarantined."""
        await self._sealer.until_followed(*self._position)

    async def seal(self) -> None:
        """Close the segment, wait for Postgres, append to the raw tables, unlink. Raises what those raise."""
        await self._sealer.seal_all()

    @property
    def backlog(self) -> int:
        """Records on disk that are not in Postgres yet."""
        return self.appended - self._follower.followed

    @property
    def full(self) -> bool:
        """Whether Postgres is further behind than the bound allows."""
        return self.backlog > self._max_backlog

    @property
    def disk_full(self) -> bool:
        """Whether the journal's disk was full at the last append and still is."""
        if isinstance(self._refusal, StorageFull) and shutil.disk_usage(self._journal.folder.path).free >= ROOM:
            self._refusal = None
        return isinstance(self._refusal, StorageFull)

    @property
    def waiting(self) -> int:
        """Requests that wait for the disk."""
        return self._commit.waiting

    @property
    def unsealed(self) -> int:
        """Segments that are not in the raw tables yet."""
        return len(self._journal.ends)

    @property
    def quarantined(self) -> int:
        """Rows that Postgres refused."""
        return self._follower.quarantined

    def lag_s(self) -> float:
        """Return the age of the oldest record that is on disk and not in Postgres."""
        return self._follower.lag_s()

    def troubles(self) -> list[str]:
        """Return what keeps records from Postgres or the lake, in words; empty when all is well."""
        found = ["the journal's disk is full"] if self.disk_full else []
        if isinstance(self._refusal, StorageFailed):
            found.append("the journal could not be written")
        if self._follower.trouble:
            found.append(self._follower.trouble)
        elif self.lag_s() > LATE_S:
            found.append(f"Postgres does not keep up: what has landed waits for {self.lag_s():.0f} s")
        if self.full:
            found.append("the database is too far behind")
        return found + list(self._sealer.troubles.values())

    def _on_disk(self, records: int, position: tuple[int, int]) -> None:
        self._refusal = None
        self.appended += records
        self._position = position
        self._follower.appended(self.appended)
        self._observer.appended(records)

    async def _close(self) -> None:
        folder = self._journal.folder
        await self._commit.settle()
        idle = await self._sealer.stop(CLOSE_S)
        try:
            await asyncio.wait_for(self.followed(), CLOSE_S)
            if idle:
                await asyncio.wait_for(self._sealer.seal_all(), SEAL_S)
        except (*OUTSIDE, TimeoutError, RuntimeError) as error:
            _log.warning("journal left to be adopted", worker=folder.worker_id, reason=str(error) or repr(error))
        self._commit.close()
        self._journal.roll()
        await self._sealer.close()
        await asyncio.to_thread(self._follower.stop, STOP_S)
        if not idle:
            return  # a thread may still be sealing: the folder is let go of when the process ends
        if folder.segments():
            folder.release()
        else:
            folder.remove()
