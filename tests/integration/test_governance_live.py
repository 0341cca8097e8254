"""Governance while sessions land: nothing acknowledged is lost, no reader sees half a change."""

import asyncio
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from ingest.landing import Landing
from ingest.payloads import session
from ingest.recovery import drain
from tests.integration import governing
from tests.integration.landed import FIRST, body, land
from warehouse import building
from warehouse.datasets import CONTENT_DIMENSION, OUT_QOE_DAILY, RAW_SESSIONS
from warehouse.derivations import DERIVATIONS
from warehouse.rebuilding import verify
from warehouse.store import Store, open_store

EARLY, LATE, NOW = (datetime(2026, month, 15, tzinfo=UTC) for month in (3, 4, 6))
WHO = "viewer-to-forget"
PUBLISHED = "SELECT sum(sessions)::int FROM out_qoe_daily WHERE dimension = 'content' AND day < %s"
PER_TICK, TICK_S = 50, 0.1
"""Sessions landed at once and how often: 500 a second."""


class Traffic(threading.Thread):
    """Lands fresh sessions until it is stopped; `acknowledged` are their ids."""

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
                names = [f"live-{number + n}" for n in range(PER_TICK)]
                await landing.land([self._record(name) for name in names])
                self.acknowledged += names
                number += PER_TICK
                due += TICK_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _record(self, name: str) -> bytes:
        sent = json.dumps(body(1, NOW.date(), sessionId=name)).encode()
        return session.accept(sent, tenant="default", now=NOW).record


class Reader(threading.Thread):
    """Reads the sessions that the aggregates of the old days count, over and over."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.seen: set[int] = set()
        self.stopping = threading.Event()
        self._store = store

    def run(self) -> None:
        wanted = (pl.col("dimension") == CONTENT_DIMENSION) & (pl.col("day") < NOW.date())
        while not self.stopping.is_set():
            self.seen.add(self._store.lake.read(OUT_QOE_DAILY, lambda rows: rows.filter(wanted))["sessions"].sum())
            with self._store.database.connect() as connection:
                row = connection.execute(
                    "SELECT sum(sessions)::int FROM out_qoe_daily WHERE dimension = 'content' AND day < %s",
                    (NOW.date(),),
                ).fetchone()
            self.seen.add(row[0] if row is not None else 0)


def test_under_concurrent_landing(store: Store) -> None:
    land(store, [body(n, FIRST + timedelta(days=n % 3)) for n in range(30)], now=EARLY)
    land(store, [body(n, FIRST, userId=WHO if n < 34 else "other") for n in range(30, 40)], now=LATE)
    at = replace(store, settings=replace(store.settings, fixed_now=NOW))
    for step in DERIVATIONS:
        building.build(at, step, building.stale_days(at, step))
    traffic, reader = Traffic(at), Reader(at)
    traffic.start()
    reader.start()
    began = time.monotonic()
    try:
        for command in ("retain", f"forget {WHO}", "rebuild"):
            governing.run(command, at.settings)
    finally:
        took = time.monotonic() - began
        for thread in (traffic, reader):
            thread.stopping.set()
            thread.join()

    assert reader.seen == {40, 36}
    drain(store.settings, store.database, store.lake, timeout_s=30)
    raw = store.lake.read(RAW_SESSIONS, lambda rows: rows.filter(pl.col("session_id").str.starts_with("live-")))
    assert sorted(raw["session_id"]) == sorted(traffic.acknowledged)
    assert len(traffic.acknowledged) > 250 * took
    with store.database.connect() as connection:
        rows = connection.execute("SELECT session_id FROM sessions WHERE session_id LIKE 'live-%'").fetchall()
    assert sorted(row[0] for row in rows) == sorted(traffic.acknowledged)
    with open_store(at.settings) as fresh:
        for step in DERIVATIONS:
            building.build(fresh, step, building.stale_days(fresh, step))
        assert list(verify(fresh)) == []
