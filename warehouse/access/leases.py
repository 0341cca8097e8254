"""Where the leases of rate limits are counted, shared by all workers: Postgres, or Redis where that is used.

A worker adds what it wants to a window's count and reads the new sum; of what it added, the part below the limit is
its own. When to lease and how much is decided in `ingest.limits`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import psycopg

KEPT_WINDOWS = 10
"""Windows whose counts stay: workers' clocks may differ by less than that."""

CONNECT_S = 2
UNHEARD_MS = 10_000
"""After which a connection whose other side says nothing counts as cut off."""

_ADD = """
INSERT INTO rate_leases AS held (tenant, key_id, window_start, leased)
SELECT tenant, key_id, window_start, wanted
FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::bigint[]) AS asked (tenant, key_id, window_start, wanted)
ORDER BY tenant, key_id, window_start
ON CONFLICT (tenant, key_id, window_start) DO UPDATE SET leased = held.leased + excluded.leased
RETURNING tenant, key_id, window_start, leased
"""


class Ask(NamedTuple):
    """What one worker wants of one limit in one window; `key_id` is empty for the bound of the whole tenant."""

    tenant: str
    key_id: str
    window_start_s: int
    """Epoch seconds."""
    wanted: int


class Leases(Protocol):
    """Counts of windows that outlive this process. `errors` are what it raises when it cannot be reached."""

    errors: tuple[type[Exception], ...]

    async def add(self, asks: Sequence[Ask]) -> list[int]:
        """Add what is wanted, each limit and window at most once; return the new sums in the same order."""

    async def close(self) -> None:
        """Leave nothing open."""


class PostgresLeases:
    """Counts in the table `rate_leases`, over one connection that is opened when it is needed."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)

    def __init__(self, url: str, window_s: int) -> None:
        self._url = url
        self._window_s = window_s
        self._connection: psycopg.AsyncConnection | None = None
        self._newest = 0

    async def add(self, asks: Sequence[Ask]) -> list[int]:
        """Add in one statement, once more where a kept connection was cut off. Raises psycopg errors."""
        if self._connection is not None and not self._connection.closed:
            try:
                return await self._add(self._connection, asks)
            except psycopg.OperationalError:
                await self._connection.close()
        self._connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_S, tcp_user_timeout=UNHEARD_MS
        )
        return await self._add(self._connection, asks)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()

    async def _add(self, connection: psycopg.AsyncConnection, asks: Sequence[Ask]) -> list[int]:
        tenants, key_ids, starts, wanted = map(list, zip(*asks, strict=True))
        instants = [datetime.fromtimestamp(start, UTC) for start in starts]
        cursor = await connection.execute(_ADD, (tenants, key_ids, instants, wanted))
        sums = {row[:3]: row[3] for row in await cursor.fetchall()}
        if (newest := max(starts)) > self._newest:
            # Once a window, those that are long over are deleted.
            self._newest = newest
            before = datetime.fromtimestamp(newest - KEPT_WINDOWS * self._window_s, UTC)
            await connection.execute("DELETE FROM rate_leases WHERE window_start < %s", (before,))
        return [sums[key] for key in zip(tenants, key_ids, instants, strict=True)]


class RedisLeases:
    """Counts in Redis: `playhead:rate:<window start>:<key id>:<tenant>`, each ending with its windows."""

    def __init__(self, url: str, window_s: int) -> None:
        from redis.asyncio import Redis
        from redis.exceptions import RedisError

        self.errors: tuple[type[Exception], ...] = (RedisError, OSError)
        self._expiry_s = KEPT_WINDOWS * window_s
        self._redis: Any = Redis.from_url(url, socket_connect_timeout=CONNECT_S)

    async def add(self, asks: Sequence[Ask]) -> list[int]:
        """Add in one transaction. Raises what `errors` says."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            for tenant, key_id, start, wanted in asks:
                name = f"playhead:rate:{start}:{key_id}:{tenant}"
                pipeline.incrby(name, wanted)
                pipeline.expire(name, self._expiry_s)
            answers: list[Any] = await pipeline.execute()
        return [int(total) for total in answers[::2]]

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
