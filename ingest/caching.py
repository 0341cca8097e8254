"""Answers that are kept for a while, in Litestar's stores: in Redis where `REDIS_URL` is set, else in this worker.

An answer is kept with a mark of the data that it was made of; where the mark has changed it is made anew.
"""

from collections.abc import Awaitable, Callable

import structlog
from litestar.stores.base import Store
from litestar.stores.memory import MemoryStore

MOST_KEPT = 1_000
"""Answers that a worker keeps in its own memory before it begins anew."""

_log = structlog.get_logger("ingest.caching")


class Cache:
    """Keeps encoded answers by name."""

    def __init__(self, redis_url: str | None) -> None:
        self._store: Store
        self._failures: tuple[type[Exception], ...] = ()
        self._kept = 0
        if redis_url:
            from litestar.stores.redis import RedisStore
            from redis.exceptions import RedisError

            self._store = RedisStore.with_client(redis_url, namespace="playhead-answers")
            self._failures = (RedisError, OSError)
        else:
            self._store = MemoryStore()

    async def answer(self, name: str, mark: str, keep_s: int, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the kept answer of this mark, or make and keep it. With Redis away every answer is made."""
        sealed = mark.encode() + b"\n"
        try:
            kept = await self._store.get(name)
        except self._failures as error:
            _log.warning("cache not read", reason=str(error))
            return await make()
        if kept is not None and kept.startswith(sealed):
            return kept[len(sealed) :]
        body = await make()
        try:
            await self._keep(name, sealed + body, keep_s)
        except self._failures as error:
            _log.warning("cache not written", reason=str(error))
        return body

    async def healthy(self) -> bool:
        """Tell whether answers can be kept."""
        try:
            await self._store.exists("health")
        except self._failures:
            return False
        return True

    async def close(self) -> None:
        """Close what is open."""
        await self._store.__aexit__(None, None, None)

    async def _keep(self, name: str, value: bytes, keep_s: int) -> None:
        if isinstance(self._store, MemoryStore):
            self._kept += 1
            if self._kept > MOST_KEPT:
                await self._store.delete_all()
                self._kept = 1
        await self._store.set(name, value, expires_in=keep_s)
