"""The rate limit of workers that share leases: never exceeded, hardly underused, no lease a request."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import RateLimitExceeded
from ingest.limits import Allowance, Limiter
from warehouse.access.keys import UNLIMITED
from warehouse.access.leases import Ask


class AwayError(Exception):
    """The leases are out of reach."""


class MemoryLeases:
    """Leases that several limiters of one test share."""

    errors: tuple[type[Exception], ...] = (AwayError,)

    def __init__(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self.sums: Counter[tuple[str, str, int]] = Counter()
        self.calls = 0
        self.away = False
        self._before = before

    async def add(self, asks: Sequence[Ask]) -> list[int]:
        self.calls += 1
        assert len({ask[:3] for ask in asks}) == len(asks)
        if self._before is not None:
            await self._before()
        if self.away:
            raise AwayError("away")
        for ask in asks:
            self.sums[ask[:3]] += ask.wanted
        return [self.sums[ask[:3]] for ask in asks]

    async def close(self) -> None:
        """Keep everything."""


class Clock:
    def __init__(self, now: float = 6_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def workers(leases: MemoryLeases, count: int, *, limit: int, clock: Clock) -> list[Limiter]:
    return [Limiter(leases, limit=limit, window_s=60, workers=count, clock=clock) for _ in range(count)]


async def send(limiter: Limiter, quota: int | None = None, tenant_quota: int | None = None, key: str = "k") -> bool:
    try:
        await limiter.take("acme", key, quota, tenant_quota)
    except RateLimitExceeded:
        return False
    return True


async def drained(*limiters: Limiter) -> None:
    for limiter in limiters:
        await limiter.close()


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), min_size=1, max_size=40),
)
def test_workers_together_never_exceed_a_limit(limit: int, count: int, bursts: list[tuple[int, int]]) -> None:
    async def run() -> None:
        leases, clock = MemoryLeases(lambda: asyncio.sleep(0)), Clock()
        limiters = workers(leases, count, limit=limit, clock=clock)
        passed = sent = 0
        for worker, size in bursts:
            sending = [send(limiters[(worker + turn // 9) % count]) for turn in range(size)]
            passed += sum(await asyncio.gather(*sending))
            sent += size
        assert passed <= min(limit, sent)
        assert not any(limiter.trouble for limiter in limiters)
        # One that asks until it is refused leaves only what the others hold.
        while await send(limiters[0]):
            passed += 1
        held = sum(limiter._bucket("acme", "k", limit).at(100).tokens for limiter in limiters[1:])
        assert passed + held == limit
        assert held <= limit // 4 + count
        await drained(*limiters)

    asyncio.run(run())


@pytest.mark.parametrize(("limit", "count", "most"), [(100, 1, 20), (100, 2, 40), (100_000, 2, 200)])
def test_leases_are_far_fewer_than_requests(limit: int, count: int, most: int) -> None:
    async def run() -> int:
        leases = MemoryLeases()
        limiters = workers(leases, count, limit=limit, clock=Clock())
        passed = 0
        for turn in range(limit + 50):
            passed += await send(limiters[turn % count])
            await asyncio.sleep(0)
        assert limit * 0.95 <= passed <= limit
        await drained(*limiters)
        return leases.calls

    assert asyncio.run(run()) <= most


def test_each_window_begins_anew_and_its_first_request_finds_a_lease() -> None:
    async def run() -> None:
        leases, clock = MemoryLeases(), Clock()
        [limiter] = workers(leases, 1, limit=10, clock=clock)
        assert [await send(limiter) for _ in range(12)] == [True] * 10 + [False] * 2
        clock.now += 60
        assert await send(limiter)
        clock.now += 59.5
        assert await send(limiter)
        await asyncio.sleep(0.01)
        calls = leases.calls
        clock.now += 1
        leases.away = True
        assert await send(limiter)
        assert limiter.trouble is None
        assert leases.calls == calls
        await drained(limiter)

    asyncio.run(run())


def test_what_a_sender_is_told() -> None:
    async def run() -> None:
        clock = Clock(6_010.5)
        [limiter] = workers(MemoryLeases(), 1, limit=2, clock=clock)
        assert await limiter.take("acme", "k", None, None) == Allowance(2, 1, 6_060)
        assert await limiter.take("acme", "k", None, None) == Allowance(2, 0, 6_060)
        with pytest.raises(RateLimitExceeded) as refusal:
            await limiter.take("acme", "k", None, None)
        assert refusal.value.headers == {
            "Retry-After": "50",
            "X-RateLimit-Limit": "2",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "6060",
        }
        await drained(limiter)

    asyncio.run(run())


def test_quotas_of_key_and_tenant() -> None:
    async def run() -> None:
        leases = MemoryLeases()
        [limiter] = workers(leases, 1, limit=2, clock=Clock())
        assert await limiter.take("acme", "free", UNLIMITED, None) is None
        assert leases.calls == 0
        assert [await send(limiter, 3, key="three") for _ in range(4)] == [True] * 3 + [False]
        assert [await send(limiter, UNLIMITED, 5, key=f"{n}") for n in range(7)] == [True] * 5 + [False] * 2
        assert not await send(limiter, 100, 5, key="more")
        assert [await send(limiter, 4, key="three") for _ in range(2)] == [True, False]
        await drained(limiter)

    asyncio.run(run())


def test_out_of_reach_each_worker_gives_its_share_and_pays_later() -> None:
    async def run() -> None:
        leases, clock = MemoryLeases(), Clock()
        limiters = workers(leases, 2, limit=40, clock=clock)
        leases.away = True
        assert [sum([await send(one) for _ in range(50)]) for one in limiters] == [20, 20]
        assert all(limiter.trouble for limiter in limiters)
        leases.away = False
        clock.now += 60
        for limiter in limiters:
            limiter._retry_at = 0.0
        first, second = limiters
        assert await send(first)
        await asyncio.sleep(0.01)
        assert first.trouble is None
        assert 30 <= sum([await send(first) for _ in range(50)]) <= 39
        second._retry_at = 0.0
        assert [await send(second) for _ in range(60)].count(True) <= 20
        await drained(*limiters)

    asyncio.run(run())


def test_a_limit_known_to_be_used_up_is_not_given_again_when_leases_are_out_of_reach() -> None:
    async def run() -> None:
        leases = MemoryLeases()
        first, second = workers(leases, 2, limit=40, clock=Clock())
        assert await send(second)
        assert sum([await send(first) for _ in range(60)]) >= 35
        leases.away = True
        assert not any([await send(first) for _ in range(20)])
        await drained(first, second)

    asyncio.run(run())


def test_leases_that_do_not_answer_hold_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.limits.WAIT_S", 0.01)

    async def run() -> None:
        answers = asyncio.Event()

        async def wait() -> None:
            await answers.wait()

        leases = MemoryLeases(wait)
        [limiter] = workers(leases, 1, limit=10, clock=Clock())
        assert all(await asyncio.gather(*(send(limiter) for _ in range(10))))
        assert limiter.trouble
        assert not await send(limiter)
        answers.set()
        await asyncio.sleep(0.01)
        assert limiter.trouble is None
        assert not await send(limiter)
        await drained(limiter)

    asyncio.run(run())


def test_limits_are_shared_again_without_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.limits.RETRY_S", 0.01)

    async def run() -> None:
        leases = MemoryLeases()
        [limiter] = workers(leases, 1, limit=10, clock=Clock())
        keeping = asyncio.create_task(limiter.keep_shared())
        leases.away = True
        assert await send(limiter)
        assert limiter.trouble
        leases.away = False
        await asyncio.sleep(0.5)
        assert limiter.trouble is None
        keeping.cancel()
        assert sum(leases.sums.values()) == 0
        await drained(limiter)

    asyncio.run(run())
