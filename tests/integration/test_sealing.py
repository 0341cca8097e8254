"""Segments that grow while others are sealed."""

import asyncio
import json
import threading
from typing import Any

from ingest.landing import Landing
from ingest.payloads import session
from tests.integration.landed import ARRIVAL, FIRST, body
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings


class HesitantLake(Lake):
    """Tells when an append has begun, and goes on once it may."""

    begun, may = threading.Event(), threading.Event()

    def append_once(self, *arguments: Any, **options: Any) -> bool:
        self.begun.set()
        assert self.may.wait(30)
        return super().append_once(*arguments, **options)


def record(number: int) -> bytes:
    return session.accept(json.dumps(body(number, FIRST)).encode(), tenant="default", now=ARRIVAL).record


def test_what_is_added_while_an_earlier_segment_is_sealed_is_sealed_too(
    storage: StorageSettings, database: Database
) -> None:
    lake = HesitantLake(storage.lake_url, storage.dimensions)

    async def run() -> None:
        async with Landing.open(storage, database, lake) as landing:
            roll = landing._commit.in_order
            async with landing._sealer._sealing:
                await landing.land([record(1)])
                await roll(landing._journal.roll)
                await landing.land([record(2)])
                await landing.followed()
            await asyncio.to_thread(lake.begun.wait, 30)
            await landing.land([record(3)])
            await roll(landing._journal.roll)
            await landing.followed()
            lake.may.set()
            await landing.seal()

    asyncio.run(run())
    assert sorted(lake.scan(RAW_SESSIONS).collect()["session_id"]) == ["s1", "s2", "s3"]
