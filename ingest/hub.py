"""Who watches what over WebSockets in this worker: each topic is read from Postgres once a second, for all at once.

What landed in any worker is in Postgres a moment later, so that no worker need tell another. What a topic shows is in
`warehouse.live.state` and `warehouse.video_metrics`; which routes there are is in `ingest.routes.watching`.
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import sqlalchemy.exc
import structlog

from ingest import background
from warehouse.postgres import Database

EVERY_S = 1.0

SLOW_S = 5.0
"""A client that has not taken a message for so long is dropped."""

_log = structlog.get_logger("ingest.hub")

Read = Callable[[psycopg.Connection, datetime], dict[str, Any]]


@dataclass(eq=False)
class Watcher:
    """One client. It is sent the newest message only: what it was too slow for is left out."""

    _message: str = ""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _gone: bool = False

    def put(self, message: str) -> None:
        """Offer a message."""
        self._message = message
        self._changed.set()

    def leave(self) -> None:
        """Tell whoever waits for messages that the client has gone."""
        self._gone = True
        self._changed.set()

    async def next(self) -> str | None:
        """Return the newest message that was not taken yet, None where the client has gone."""
        await self._changed.wait()
        self._changed.clear()
        return None if self._gone else self._message


@dataclass(eq=False)
class _Topic:
    read: Read
    watchers: set[Watcher] = field(default_factory=set)
    newest: str | None = None
    """Encoded once, for all who watch."""


class Hub:
    """The topics that are watched now."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._topics: dict[Hashable, _Topic] = {}
        self._wake = asyncio.Event()

    @property
    def connections(self) -> int:
        """Clients that watch."""
        return sum(len(topic.watchers) for topic in self._topics.values())

    @property
    def topics(self) -> int:
        """What they watch."""
        return len(self._topics)

    def join(self, name: Hashable, make: Callable[[], Read]) -> Watcher:
        """Watch a topic, which is begun by `make` if nobody does yet; the present state comes first."""
        watcher = Watcher()
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(make())
        topic.watchers.add(watcher)
        if topic.newest is not None:
            watcher.put(topic.newest)
        self._wake.set()
        return watcher

    def leave(self, name: Hashable, watcher: Watcher) -> None:
        """Stop to watch."""
        topic = self._topics.get(name)
        if topic is not None:
            topic.watchers.discard(watcher)
            if not topic.watchers:
                del self._topics[name]

    async def run(self) -> None:
        """Read every topic each second, and a new one at once, until cancelled."""
        while True:
            deadline = time.monotonic() + EVERY_S
            for topic in list(self._topics.values()):
                await self._read(topic)
            while (left_s := deadline - time.monotonic()) > 0 or not self._topics:
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), left_s if self._topics else None)
                for topic in [topic for topic in self._topics.values() if topic.newest is None]:
                    await self._read(topic)

    async def _read(self, topic: _Topic) -> None:
        def read() -> str:
            with self._database.connect() as connection:
                return msgspec.json.encode(topic.read(connection, self._now())).decode()

        try:
            topic.newest = await background.aside(read)
        except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
            _log.warning("live state not read", reason=str(error).strip())
            return
        for watcher in list(topic.watchers):
            watcher.put(topic.newest)
