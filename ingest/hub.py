"""Who watches what over WebSockets in this worker: each topic is read from Postgres once a second, for all who watch.

What landed in any worker is in Postgres a moment later, so that no worker need tell another. Topics of one kind are
read together. What they show is in `warehouse.live`; which routes there are is in `ingest.routes.watching`.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
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

AT_ONCE = 100
"""Topics that are read together at most: the first are told while others are read."""

_log = structlog.get_logger("ingest.hub")

Read = Callable[[psycopg.Connection, Sequence[Any], datetime], Sequence[Mapping[str, Any]]]
"""From subjects of one kind to what each of them shows, in their order."""


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
    subject: Any
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

    def join(self, name: Hashable, read: Read, make: Callable[[], Any]) -> Watcher:
        """Watch a topic: what `read` shows of the subject that `make` makes if nobody watches it yet.

        Topics with the same `read` are read together. The present state comes first.
        """
        watcher = Watcher()
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(read, make())
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
        """Read every topic each second, and a new one as soon as may be, until cancelled."""
        while True:
            deadline = time.monotonic() + EVERY_S
            await self._renew()
            while True:
                self._wake.clear()
                await self._begin(deadline)
                left_s = deadline - time.monotonic()
                if self._topics and left_s <= 0:
                    break
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), left_s if self._topics else None)

    async def _renew(self) -> None:
        """Read again what was read before, topics of one kind together."""
        kinds: dict[Read, list[_Topic]] = {}
        for topic in self._topics.values():
            if topic.newest is not None:
                kinds.setdefault(topic.read, []).append(topic)
        for read, alike in kinds.items():
            for first in range(0, len(alike), AT_ONCE):
                await self._show(read, alike[first : first + AT_ONCE])

    async def _begin(self, deadline: float) -> None:
        """Read new topics, at least one. Alone, for they look far back; those left at the deadline come in the next."""
        for topic in [topic for topic in self._topics.values() if topic.newest is None]:
            await self._show(topic.read, [topic])
            if time.monotonic() >= deadline:
                return

    async def _show(self, read: Read, topics: Sequence[_Topic]) -> None:
        def encoded() -> list[str]:
            with self._database.connect() as connection:
                shown = read(connection, [topic.subject for topic in topics], self._now())
            return [msgspec.json.encode(message).decode() for message in shown]

        try:
            messages = await background.aside(encoded)
        except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
            _log.warning("live state not read", reason=str(error).strip())
            return
        for topic, message in zip(topics, messages, strict=True):
            topic.newest = message
            for watcher in topic.watchers:
                watcher.put(message)
