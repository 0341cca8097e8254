"""How topics are read for who watches them: new ones alone, known ones together, none forgotten over the others."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from ingest import background, hub
from ingest.hub import Hub
from warehouse.postgres import Database

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MANY = 250


class Reading:
    """Shows subjects as they are, and notes which were read together."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.calls: list[list[int]] = []
        self._pause_s = pause_s

    def read(self, _connection: psycopg.Connection, subjects: Sequence[int], _now: datetime) -> list[dict[str, Any]]:
        self.calls.append(list(subjects))
        if len(subjects) == 1:
            time.sleep(self._pause_s)
        return [{"subject": subject} for subject in subjects]


def watched(database: Database, reading: Reading, topics: int, seconds: float) -> None:
    async def run() -> None:
        told = Hub(database, lambda: NOW)
        running = background.spawn("hub", told.run())
        watchers = [told.join(number, reading.read, lambda number=number: number) for number in range(topics)]
        for number, watcher in enumerate(watchers):
            assert await asyncio.wait_for(watcher.next(), 30) == f'{{"subject":{number}}}'
        await asyncio.sleep(seconds)
        await background.cancel([running])

    asyncio.run(run())


def test_new_topics_are_read_alone_and_known_ones_together(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "EVERY_S", 0.2)
    reading = Reading()
    watched(database, reading, MANY, 1.0)
    alone = [call for call in reading.calls if len(call) == 1]
    assert sorted(alone) == [[number] for number in range(MANY)]
    last = reading.calls.index(alone[-1])
    assert [len(call) for call in reading.calls[last + 1 :][:3]] == [hub.AT_ONCE, hub.AT_ONCE, MANY - 2 * hub.AT_ONCE]


def test_known_topics_are_renewed_while_slow_new_ones_come(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "EVERY_S", 0.1)
    reading = Reading(pause_s=0.06)
    watched(database, reading, 12, 0.0)
    between = [len(call) for call in reading.calls[: reading.calls.index([11])]]
    assert max(between) > 1, "who watched first waited for all who came later"
