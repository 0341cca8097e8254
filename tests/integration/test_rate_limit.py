"""The rate limit over HTTP: what senders are told, two workers that share it, leases in Postgres and in Redis."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from ingest.recovery import drain
from ingest.settings import IngestSettings
from tests.integration.commands import environment
from tests.integration.endpoint import KEY, serving
from tests.integration.redis_servers import redis_server
from tests.integration.served import free_port, served, workers_of
from warehouse.access.keys import UNLIMITED, create_key
from warehouse.access.leases import Ask, Leases, PostgresLeases, RedisLeases
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

SESSION = {"sessionId": "s-1", "sessionStartDateIso": "2026-02-14T10:30:00Z", "sessionDurationMs": 45_000}
TOLD = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def long_window() -> int:
    """Return a window length whose present window does not end while a test runs."""
    return next(length for length in (7_200, 7_001) if time.time() % length < length - 600)


def body(number: int) -> bytes:
    return json.dumps(SESSION | {"sessionId": f"s-{number}"}).encode()


def test_what_senders_are_told(storage: StorageSettings, database: Database, lake: Lake) -> None:
    window = long_window()
    with serving(storage, IngestSettings(rate_limit=3, rate_window_s=window)) as client:
        answers = [
            client.post("/v1/sessions", content=body(n), headers={"Content-Type": "application/json"}) for n in range(2)
        ]
        answers.append(client.post("/v1/sessions", content=b"{", headers={"Content-Type": "application/json"}))
        assert [answer.status_code for answer in answers] == [200, 200, 400]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
        over = client.post("/v1/sessions", json=SESSION | {"sessionId": "over"})
        assert over.status_code == 429
        assert over.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        reset = int(over.headers["X-RateLimit-Reset"])
        assert reset % window == 0
        assert {tuple(answer.headers[name] for name in TOLD[::2]) for answer in [*answers, over]} == {("3", str(reset))}
        assert abs(int(over.headers["Retry-After"]) - (reset - time.time())) < 5
        assert "X-RateLimit-Limit" not in client.get("/health").headers
    drain(storage, database, lake, timeout_s=30)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (2,)


def test_a_batch_costs_one(storage: StorageSettings) -> None:
    lines = b"\n".join(body(number) for number in range(100))
    with serving(storage, IngestSettings(rate_limit=2, rate_window_s=long_window())) as client:
        headers = {"Content-Type": "application/x-ndjson"}
        answers = [client.post("/v1/sessions/batch", content=lines, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]


def test_a_window_ends(storage: StorageSettings) -> None:
    with serving(storage, IngestSettings(rate_limit=2, rate_window_s=1)) as client:
        passed: Counter[str] = Counter()
        refused = 0
        while len(passed) < 3:
            answer = client.post("/v1/sessions", json=SESSION)
            passed[answer.headers["X-RateLimit-Reset"]] += answer.status_code == 200
            refused += answer.status_code == 429
        assert max(passed.values()) == 2
        assert refused


def test_a_key_without_a_limit_is_told_of_none(storage: StorageSettings, connection: psycopg.Connection) -> None:
    key = create_key(connection, tenant="acme", name="k", scopes=["land"], quota=UNLIMITED)
    with serving(storage, IngestSettings(rate_limit=1)) as client:
        answers = [client.post("/v1/sessions", json=SESSION, headers={"X-API-Key": key}) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert not [name for name in answers[0].headers if name.startswith("x-ratelimit")]
    assert connection_is_unasked(connection)


def connection_is_unasked(connection: psycopg.Connection) -> bool:
    return connection.execute("SELECT count(*) FROM rate_leases").fetchone() == (0,)


@pytest.mark.parametrize("connections", [4, 16])
def test_two_workers_share_a_limit(storage: StorageSettings, tmp_path: Path, connections: int) -> None:
    window = long_window()
    limits = {"RATE_LIMIT_REQUESTS": "50", "RATE_LIMIT_WINDOW_SEC": str(window)}
    with served(environment(storage) | limits, tmp_path / "log", workers=2) as base:
        statuses, workers = asyncio.run(_crowd(base, 400, connections))
        left = _left(base)
    assert set(statuses) == {200, 429}
    assert statuses[200] + sum(left) == 50, (statuses, workers, left)


async def _crowd(base: str, requests: int, connections: int) -> tuple[Counter[int], Counter[str]]:
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60, headers=KEY) as client:
        answers = await asyncio.gather(
            *(client.post("/v1/sessions", json=SESSION | {"sessionId": f"s-{n}"}) for n in range(requests))
        )
    workers = Counter(answer.headers["x-request-id"].partition("-")[0] for answer in answers)
    return Counter(answer.status_code for answer in answers), workers


def _left(base: str) -> list[int]:
    """Return how many requests each of two workers still lets pass: what it has leased and had no chance to give."""
    left = [0, 0]
    with workers_of(base, 2) as clients:
        for number, client in enumerate(clients):
            while client.post("/v1/sessions", json=SESSION, headers=KEY).status_code == 200:
                left[number] += 1
    return left


def test_with_postgres_away_each_worker_holds_its_share(storage: StorageSettings) -> None:
    assert storage.database_url is not None
    away = replace(storage, database_url=storage.database_url.set(port=free_port()))
    settings = IngestSettings(rate_limit=10, rate_window_s=long_window(), workers=2)
    with serving(away, settings) as client:
        statuses = [client.post("/v1/sessions", json=SESSION).status_code for _ in range(8)]
        assert statuses == [200] * 5 + [429] * 3
        reasons = client.get("/health").json()["reasons"]
        assert "rate limits are held by each worker: what they share is out of reach" in reasons


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


async def _counted(leases: Leases, others: Leases) -> None:
    try:
        assert await leases.add([Ask("acme", "k", 120, 5), Ask("acme", "", 120, 1), Ask("acme", "k", 60, 2)]) == [
            5,
            1,
            2,
        ]
        assert await others.add([Ask("acme", "k", 120, 7), Ask("acme", "", 180, 1)]) == [12, 1]
        crowd = [
            one.add([Ask("acme", key, 240, 1) for key in keys]) for keys in ("ab", "ba") for one in (leases, others)
        ]
        sums = [total for totals in await asyncio.gather(*crowd) for total in totals]
        assert sorted(sums) == [1, 1, 2, 2, 3, 3, 4, 4]
    finally:
        await leases.close()
        await others.close()


def test_leases_are_counted_in_postgres(database: Database) -> None:
    url = database.libpq_url
    asyncio.run(_counted(PostgresLeases(url, 60), PostgresLeases(url, 60)))


def test_a_connection_that_is_cut_off_is_opened_again(database: Database) -> None:
    async def run() -> None:
        leases = PostgresLeases(database.libpq_url, 60)
        await leases.add([Ask("acme", "k", 60, 1)])
        with database.connect() as connection:
            connection.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query LIKE '%rate_leases%' AND pid <> pg_backend_pid() AND datname = current_database()
                """
            )
        assert await leases.add([Ask("acme", "k", 60, 1)]) == [2]
        await leases.close()

    asyncio.run(run())


def test_leases_are_counted_in_redis(redis_url: str) -> None:
    asyncio.run(_counted(RedisLeases(redis_url, 60), RedisLeases(redis_url, 60)))


def test_windows_that_are_long_over_are_forgotten(database: Database) -> None:
    async def run() -> None:
        leases = PostgresLeases(database.libpq_url, 60)
        for window in range(20):
            await leases.add([Ask("acme", "k", window * 60, 1)])
        await leases.close()

    asyncio.run(run())
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM rate_leases").fetchone() == (11,)


def test_two_workers_share_a_limit_in_redis(storage: StorageSettings, tmp_path: Path, redis_url: str) -> None:
    limits = {"RATE_LIMIT_REQUESTS": "50", "RATE_LIMIT_WINDOW_SEC": str(long_window()), "REDIS_URL": redis_url}
    with served(environment(storage) | limits, tmp_path / "log", workers=2) as base:
        statuses, workers = asyncio.run(_crowd(base, 400, 8))
        left = _left(base)
    assert set(statuses) == {200, 429}
    assert statuses[200] + sum(left) == 50, (statuses, workers, left)
    with psycopg.connect(environment(storage)["DATABASE_URL"]) as connection:
        assert connection_is_unasked(connection)
