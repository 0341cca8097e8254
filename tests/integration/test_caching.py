"""Kept answers: in a worker's own memory, and in a real Redis for all workers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ingest.caching import Cache
from tests.integration.endpoint import SETTINGS, serving
from tests.integration.redis_servers import redis_server
from tests.integration.test_live_routes import until
from warehouse.settings import StorageSettings


async def answers(caches: Sequence[Cache], marks: str) -> list[bytes]:
    """Ask the caches in turn, each time for the next mark; an answer tells how many were made."""
    made = 0

    async def make() -> bytes:
        nonlocal made
        made += 1
        return b"%d" % made

    try:
        return [await caches[at % len(caches)].answer("a", mark, 60, make) for at, mark in enumerate(marks)]
    finally:
        for cache in caches:
            await cache.close()


def test_answers_are_kept_until_their_mark_changes() -> None:
    assert asyncio.run(answers([Cache(None)], "xxyyx")) == [b"1", b"1", b"2", b"2", b"3"]


def test_workers_share_answers_in_redis() -> None:
    with redis_server() as url:
        assert asyncio.run(answers([Cache(url), Cache(url)], "xxyyx")) == [b"1", b"1", b"2", b"2", b"3"]
    assert asyncio.run(answers([Cache(url)], "xx")) == [b"1", b"2"], "with Redis away every answer is made"


def test_the_endpoint_answers_with_redis_and_without(storage: StorageSettings) -> None:
    with redis_server() as url, serving(storage, replace(SETTINGS, redis_url=url)) as client:
        assert client.post("/v1/streams", json={"stream_id": "s", "public": True}).status_code == 200
        assert client.get("/api/v1/health").json()["redis"] == "ok"
        assert [client.get("/api/v1/streams/none/metrics").status_code for _ in range(2)] == [404, 404]
        assert client.get("/api/v1/streams").status_code == 200
    with serving(storage, replace(SETTINGS, redis_url=url)) as client:
        told = client.get("/api/v1/health").json()
        assert (told["status"], told["database"], told["redis"]) == ("degraded", "ok", "unavailable")
        until(client, "/api/v1/streams", lambda rows: [row["stream_id"] for row in rows] == ["s"])
