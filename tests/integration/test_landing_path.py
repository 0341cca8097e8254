"""Group commit, follower and sealer in one process, on a real Postgres and a real lake."""

import asyncio
import errno
import os
import threading

import psycopg
import pytest

from ingest.errors import ApiError, Overloaded, StorageFull
from ingest.journal import Journal
from ingest.landing import Landing
from ingest.sealing_process import SealingFailedError
from tests.integration.endpoint import serving
from tests.integration.rigs import Rig, until
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings


@pytest.fixture
def rig(storage: StorageSettings, database: Database, lake: Lake) -> Rig:
    return Rig(storage, database, lake)


def test_a_large_segment_is_sealed_by_a_process(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sealer.SMALL_BYTES", 0)

    async def work(landing: Landing) -> None:
        for first in (0, 100):
            await landing.land(rig.records(first, first + 100))
            await landing.seal()
            assert (rig.raw(), landing.unsealed) == (first + 100, 0)
        process = landing._sealer._aside._process
        assert process is not None
        process.kill()
        await landing.land(rig.records(200, 300))
        with pytest.raises(SealingFailedError, match="ended"):
            await landing.seal()
        monkeypatch.setattr("ingest.sealing_process.IDLE_S", 0.0)
        await landing.seal()
        await until(lambda: landing._sealer._aside._process is None)

    rig.run(work)
    assert (rig.raw(), rig.folders()) == (300, [])


def test_bulk_and_single_records(rig: Rig) -> None:
    async def work(landing: Landing) -> None:
        await asyncio.gather(landing.land(rig.records(0, 4500)), *(landing.land([r]) for r in rig.records(4500, 4600)))
        await landing.followed()
        assert (landing.backlog, rig.rows(), rig.raw()) == (0, 4600, 0)
        await landing.seal()
        assert (landing.unsealed, rig.raw()) == (0, 4600)
        await landing.land(rig.records(4600, 4610))

    rig.run(work)
    assert (rig.rows(), rig.raw(), rig.folders()) == (4610, 4610, [])


def test_concurrent_requests_share_an_append(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, release = threading.Event(), threading.Event()
    append, sizes = Journal.append, []

    def slow(journal: Journal, data: bytes) -> tuple[int, int]:
        entered.set()
        assert release.wait(30)
        sizes.append(data.count(b'"kind"'))
        return append(journal, data)

    monkeypatch.setattr(Journal, "append", slow)

    async def work(landing: Landing) -> None:
        first = asyncio.create_task(landing.land(rig.records(0, 1)))
        await asyncio.to_thread(entered.wait)
        others = [asyncio.create_task(landing.land([record])) for record in rig.records(1, 101)]
        await until(lambda: landing.waiting == 100)
        release.set()
        await asyncio.gather(first, *others)

    rig.run(work)
    assert sizes == [1, 100]


def test_refused_rows_are_quarantined_and_their_neighbours_proceed(rig: Rig) -> None:
    good = rig.records(0, 500)
    bad = [record.replace(b'"errorCount": 7', b'"errorCount": 7e30') for record in rig.records(500, 503, errorCount=7)]

    async def work(landing: Landing) -> None:
        await landing.land([*good[:100], bad[0], *good[100:250], *bad[1:], *good[250:]])
        await landing.seal()
        assert landing.quarantined == 3
        assert landing.troubles() == []

    rig.run(work)
    raw = rig.lake.scan(RAW_SESSIONS).collect()
    assert (rig.rows(), raw.height) == (500, 503)
    assert raw["refused"].drop_nulls().to_list() == ["integer out of range"] * 3


def test_follower_survives_lost_connections(rig: Rig) -> None:
    def cut() -> None:
        with rig.database.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    async def work(landing: Landing) -> None:
        for turn in range(10):
            await landing.land(rig.records(turn * 100, turn * 100 + 100))
            await asyncio.to_thread(cut)
        await landing.followed()
        assert rig.rows() == 1000

    rig.run(work)
    assert rig.raw() == 1000


def test_overload_is_refused_and_recovers(rig: Rig, connection: psycopg.Connection) -> None:
    async def work(landing: Landing) -> None:
        with connection.transaction():
            connection.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
            await landing.land(rig.records(0, 11))
            with pytest.raises(Overloaded):
                await landing.land(rig.records(11, 12))
            assert landing.full
            assert landing.troubles() == ["the database is too far behind"]
            assert landing.lag_s() > 0
            waiting = asyncio.create_task(landing.land(rig.records(12, 13), wait=True))
            await asyncio.sleep(0.1)
            assert not waiting.done()
        await waiting
        await landing.followed()
        assert (landing.lag_s(), landing.troubles()) == (0.0, [])

    rig.run(work, max_backlog=10)
    assert rig.rows() == 12


def test_full_disk_is_told_and_passes(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def work(landing: Landing) -> None:
        await landing.land(rig.records(0, 5))
        with monkeypatch.context() as patched:
            patched.setattr("ingest.journal._write", full)
            failed = await asyncio.gather(*(landing.land([r]) for r in rig.records(5, 10)), return_exceptions=True)
        assert all(isinstance(one, StorageFull) for one in failed)
        await landing.land(rig.records(10, 15))
        await landing.seal()

    rig.run(work)
    assert (rig.rows(), rig.raw()) == (10, 10)


def test_an_unavailable_lake_is_told_and_loses_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    append_once = Lake.append_once

    def away(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def work(landing: Landing) -> None:
        monkeypatch.setattr(Lake, "append_once", away)
        await landing.land(rig.records(0, 5))
        with pytest.raises(OSError, match="No space"):
            await landing.seal()
        await until(lambda: bool(landing.troubles()))
        monkeypatch.setattr(Lake, "append_once", append_once)
        await landing.seal()

    rig.run(work)
    assert (rig.raw(), rig.folders()) == (5, [])


def test_nothing_is_stored_when_the_journal_fails(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    body = {"sessionId": "s", "sessionStartDateIso": "2026-02-14T10:30:00Z", "sessionDurationMs": 45_000}
    with serving(storage) as client:
        with monkeypatch.context() as patched:
            patched.setattr("ingest.journal._write", full)
            answer = client.post("/v1/sessions", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (507, "STORAGE_FULL")
        assert int(answer.headers["retry-after"]) > 0
        assert client.post("/v1/sessions", json=body).status_code == 200


def test_errors_of_the_inside_are_not_shown(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise LookupError("a secret of the inside")

    with serving(storage) as client:
        monkeypatch.setattr(Landing, "land", broken)
        body = {"sessionId": "s", "timestamp": 1}
        answer = client.post("/v1/sessions", json=body)
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
        assert "secret" not in answer.text

        async def away(*_: object, **__: object) -> None:
            raise psycopg.OperationalError("connection refused")

        monkeypatch.setattr(Landing, "land", away)
        answer = client.post("/v1/sessions", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DATABASE_ERROR")
        assert answer.headers["retry-after"]


def test_refusals_carry_their_status() -> None:
    statuses = {cls.code: cls.status for cls in ApiError.__subclasses__()}
    assert statuses["INVALID_SCHEMA"] == 400
