"""How many requests a window: tokens leased in blocks, so that workers share a limit and no request asks a database.

Windows are fixed and aligned to their length: one of 60 s begins with each minute. A worker gives what it has leased
and leases more before that runs out; what it does not give before the window ends is lost. While the leases cannot be
reached each worker gives an equal share of the limit. Whose limit it is, and who is asked, is decided in
`ingest.guards`; where leases are counted, in `warehouse.access.leases`.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

from ingest import background
from ingest.buckets import Bucket, Window
from ingest.errors import RateLimitExceeded
from ingest.settings import IngestSettings
from warehouse.access.keys import UNLIMITED
from warehouse.access.leases import Ask, Leases, PostgresLeases, RedisLeases

WAIT_S = 2.0
"""How long a request may wait for the first lease of a window; then the leases count as out of reach."""

RETRY_S = 1.0
"""Between two attempts while the leases are out of reach."""

USER = "user:"
"""How the key id of a user of the tracker begins."""

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_RAW_HEADERS = tuple(name.lower().encode() for name in HEADERS)

_log = structlog.get_logger("ingest.limits")


class Allowance(NamedTuple):
    """What the tightest limit of a request leaves: requests a window, those left, epoch seconds of the next window."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell the sender."""
        return {name: str(value) for name, value in zip(HEADERS, self, strict=True)}

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the same as ASGI takes it."""
        return [(name, b"%d" % value) for name, value in zip(_RAW_HEADERS, self, strict=True)]


class Limiter:
    """The limits of one worker, in one event loop. `trouble` says why they are not shared now."""

    def __init__(
        self,
        leases: Leases,
        *,
        limit: int,
        window_s: int,
        workers: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.trouble: str | None = None
        self._leases = leases
        self._limit = limit
        self._window_s = window_s
        self._workers = workers
        self._clock = clock
        self._ahead_from_s = window_s - min(1.0, window_s / 10)
        self._retry_at = 0.0
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._asked: list[tuple[Bucket, Window]] = []
        self._leasing: asyncio.Task[None] | None = None

    async def take(self, tenant: str, key_id: str, quota: int | None, tenant_quota: int | None) -> Allowance | None:
        """Count one request with a key, against its quota (None: the default limit) and its tenant's (None: none).

        Return None where nothing limits it. Raises RateLimitExceeded, which says when to come again.
        """
        limit = self._limit if quota is None else quota
        buckets = []
        if limit != UNLIMITED:
            buckets.append(self._bucket(tenant, key_id, limit))
        if tenant_quota is not None:
            buckets.append(self._bucket(tenant, "", tenant_quota))
        if not buckets:
            return None
        while True:
            now = self._clock()
            number = int(now // self._window_s)
            short = next((bucket for bucket in buckets if bucket.at(number).tokens < 1), None)
            if short is None:
                break
            if not await self._more(short):
                raise self._exceeded(short, now)
        for bucket in buckets:
            window = bucket.take()
            if window.tokens <= bucket.block // 2:
                self._ask(bucket, window)
            if now - number * self._window_s >= self._ahead_from_s and bucket.ahead is None:
                bucket.ahead = Window(number + 1, bucket.limit)
                self._ask(bucket, bucket.ahead)
        return min(map(self._allowance, buckets), key=lambda allowance: allowance.remaining)

    async def keep_shared(self) -> None:
        """Look, while the leases are out of reach, whether they can be reached again, until cancelled."""
        while True:
            await asyncio.sleep(RETRY_S)
            if self.trouble is not None and self._leasing is None:
                self._leasing = background.spawn("leases", self._lease())

    async def close(self) -> None:
        """Leave no task and no connection open."""
        if self._leasing is not None:
            await background.cancel([self._leasing])
        await self._leases.close()

    def _bucket(self, tenant: str, key_id: str, limit: int) -> Bucket:
        bucket = self._buckets.get((tenant, key_id))
        if bucket is None:
            bucket = self._buckets[tenant, key_id] = Bucket(tenant, key_id, limit, self._workers)
        elif bucket.limit != limit:
            bucket.resize(limit)
        return bucket

    def _allowance(self, bucket: Bucket) -> Allowance:
        window = bucket.window
        return Allowance(bucket.limit, window.tokens + window.left, (window.number + 1) * self._window_s)

    def _exceeded(self, bucket: Bucket, now: float) -> RateLimitExceeded:
        allowance = self._allowance(bucket)._replace(remaining=0)
        whose = "with the tenant" if not bucket.key_id else "with the API key"
        if bucket.key_id.startswith(USER):
            whose = "by the user"
        message = f"More than {bucket.limit} requests in {self._window_s} s {whose}"
        return RateLimitExceeded(message, max(math.ceil(allowance.reset_s - now), 1), allowance.headers())

    async def _more(self, bucket: Bucket) -> bool:
        """Wait for a lease, or take the share of a worker; False when there is nothing more in this window."""
        window = bucket.window
        if self.trouble is None and window.left == 0 and window.reply is None:
            return False
        bucket.waiting += 1
        try:
            self._ask(bucket, window)
            reply = window.reply
            if self.trouble is None and reply is not None:
                await asyncio.wait([reply], timeout=WAIT_S)
                if not reply.done():
                    self._out_of_reach("no answer")
        finally:
            bucket.waiting -= 1
        if self.trouble is not None:
            bucket.lend(window)
            return window.tokens > 0
        return window is not bucket.window or window.tokens > 0 or window.left > 0

    def _ask(self, bucket: Bucket, window: Window) -> None:
        """Lease a block, unless that is under way, futile or tried too recently."""
        futile = window.left == 0 and window.owed == 0
        if window.reply is not None or futile or time.monotonic() < self._retry_at:
            return
        window.reply = asyncio.get_running_loop().create_future()
        self._asked.append((bucket, window))
        if self._leasing is None:
            self._leasing = background.spawn("leases", self._lease())

    async def _lease(self) -> None:
        """Lease for all who asked, in one statement, as long as somebody asks; nothing where nobody does."""
        try:
            while True:
                asked, self._asked = self._asked, []
                asks = [bucket.ask(window, self._window_s) for bucket, window in asked]
                try:
                    totals = await self._leases.add(asks or [Ask("", "", int(self._clock()), 0)])
                except self._leases.errors as error:
                    self._out_of_reach(str(error).strip())
                else:
                    self.trouble, self._retry_at = None, 0.0
                    for (bucket, window), ask, total in zip(asked, asks, totals, strict=False):
                        bucket.leased(window, ask.wanted, total)
                for _, window in asked:
                    window.answered()
                if not self._asked:
                    return
        finally:
            self._leasing = None

    def _out_of_reach(self, reason: str) -> None:
        if self.trouble is None:
            _log.warning("rate limits are held by each worker", reason=reason)
        self.trouble = "rate limits are held by each worker: what they share is out of reach"
        self._retry_at = time.monotonic() + RETRY_S


def shared(settings: IngestSettings, database_url: str) -> Limiter:
    """Return the limiter that the settings ask for, its leases in Redis where they name one, else in Postgres."""
    window_s = settings.rate_window_s
    leases: Leases = (
        RedisLeases(settings.redis_url, window_s) if settings.redis_url else PostgresLeases(database_url, window_s)
    )
    return Limiter(leases, limit=settings.rate_limit, window_s=window_s, workers=settings.workers)
