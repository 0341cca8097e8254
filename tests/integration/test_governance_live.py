"""Governance while sessions land: nothing acknowledged is lost, no reader sees half a change."""

import asyncio
import json
import threading
import time

import polars as pl

from ingest.landing import Landing
from ingest.recovery import drain
from tests.integration import governing
from tests.integration.landed import body
from tests.integration.populated import EXPIRED, NOW, OTHER, WHO, Bodies, build, event, message, outs
from tests.integration.searching import places
from warehouse.datasets import CONTENT_DIMENSION, OUT_QOE_DAILY, RAW_SESSIONS
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.live import RAW_CHAT
from warehouse.governance.rebuilding import verify
from warehouse.store import Store

PER_TICK, TICK_S = 50, 0.1
"""Sessions landed at once and how often: 500 a second."""
LOOK_S = 0.02
"""How long a reader rests."""


class Traffic(threading.Thread):
    """Lands fresh sessions, events and messages until it is stopped; `acknowledged` are their ingest_ids."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.acknowledged: list[str] = []
        self.stopping = threading.Event()
        self._store = store

    def run(self) -> None:
        asyncio.run(self._land())

    async def _land(self) -> None:
        async with Landing.open(self._store.settings, self._store.database, self._store.lake) as landing:
            number, due = 0, time.monotonic()
            while not self.stopping.is_set():
                records = self._records(number)
                await landing.land(records)
                self.acknowledged += [json.loads(record)["ingest_id"] for record in records]
                number += PER_TICK
                due += TICK_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _records(self, first: int) -> list[bytes]:
        live = range(first, first + PER_TICK // 10)
        sent = Bodies(
            sessions=[body(1, NOW.date(), sessionId=f"live-{first + n}") for n in range(PER_TICK)],
            events=[event(f"watched-{n}", 1, "play", 0, OTHER) | {"timestamp": NOW.isoformat()} for n in live],
            chat=[message(10_000 + n, 20 * 86_400, OTHER) for n in live],
        )
        return sent.records(NOW)


class Reader(threading.Thread):
    """Reads the sessions that the aggregates of the old days count, over and over."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.seen: set[int] = set()
        self.stopping = threading.Event()
        self._store = store

    def run(self) -> None:
        wanted = (pl.col("dimension") == CONTENT_DIMENSION) & (pl.col("day") < NOW.date())
        while not self.stopping.wait(LOOK_S):
            self.seen.add(self._store.lake.read(OUT_QOE_DAILY, lambda rows: rows.filter(wanted))["sessions"].sum())
            with self._store.database.connect() as connection:
                row = connection.execute(
                    "SELECT sum(sessions)::int FROM out_qoe_daily WHERE dimension = 'content' AND day < %s",
                    (NOW.date(),),
                ).fetchone()
            self.seen.add(row[0] if row is not None else 0)


def test_under_concurrent_landing(governed: Store) -> None:
    counted = outs(governed)[OUT_QOE_DAILY.name].filter(pl.col("dimension") == CONTENT_DIMENSION)["sessions"].sum()
    traffic, reader = Traffic(governed), Reader(governed)
    traffic.start()
    reader.start()
    began = time.monotonic()
    try:
        for command in ("retain", f"forget {WHO}", "rebuild"):
            governing.run_short(command, governed, lambda: drain_all(governed))
    finally:
        took = time.monotonic() - began
        for thread in (traffic, reader):
            thread.stopping.set()
            thread.join()

    assert reader.seen == {counted, counted - 2}
    drain_all(governed)
    assert len(traffic.acknowledged) > 250 * took
    of_traffic = pl.col("ingest_id").is_in(traffic.acknowledged)
    tables = {"sessions": RAW_SESSIONS, "analytics_events": RAW_EVENTS, "chat_messages": RAW_CHAT}
    raw = {
        table: governed.lake.read(dataset, lambda rows: rows.filter(of_traffic)) for table, dataset in tables.items()
    }
    assert sorted(pl.concat([rows["ingest_id"] for rows in raw.values()])) == sorted(traffic.acknowledged)
    with governed.database.connect() as connection:
        for table, rows in raw.items():
            held = connection.execute(f"SELECT ingest_id::text FROM {table} WHERE created_at = %s".encode(), (NOW,))
            assert {row[0] for row in held} == set(rows["ingest_id"])
    assert places(governed, WHO) == places(governed, EXPIRED) == []
    build(governed)
    assert list(verify(governed)) == []


def drain_all(store: Store) -> None:
    drain(store.settings, store.database, store.lake, timeout_s=30)
