"""The parts of a landing in one process, on a real Postgres and a real lake."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ingest.landing import Landing
from ingest.payloads import session
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings


class Rig:
    """The parts that a landing needs."""

    def __init__(self, storage: StorageSettings, database: Database, lake: Lake) -> None:
        self.storage, self.database, self.lake = storage, database, lake

    def records(self, first: int, last: int, **body: Any) -> list[bytes]:
        bodies = (
            {"sessionId": f"s-{n}", "sessionStartDateIso": "2026-02-14T10:30:00Z", "sessionDurationMs": 45_000} | body
            for n in range(first, last)
        )
        now = self.storage.now()
        return [session.accept(json.dumps(one).encode(), tenant="acme", now=now).record for one in bodies]

    def run(self, work: Callable[[Landing], Awaitable[None]], **options: Any) -> None:
        async def main() -> None:
            async with Landing.open(self.storage, self.database, self.lake, **options) as landing:
                await asyncio.wait_for(work(landing), 60)

        asyncio.run(main())

    def rows(self) -> int:
        with self.database.connect() as connection:
            row = connection.execute("SELECT count(*) FROM sessions").fetchone()
        assert row is not None
        return int(row[0])

    def raw(self) -> int:
        return self.lake.scan(RAW_SESSIONS).collect().height

    def folders(self) -> list[str]:
        return [path.name for path in self.storage.journal_dir.iterdir()]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for happens in threads
        await asyncio.sleep(0.002)
