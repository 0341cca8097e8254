"""What is left of landings in journals: asked of live workers, adopted from dead ones, kept where it is damaged."""

import asyncio

import pytest

from ingest import frames
from ingest.journal import Folder, Journal
from ingest.landing import Landing
from ingest.recovery import DrainTimeoutError, drain
from tests.integration.rigs import Rig, until
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings


@pytest.fixture
def rig(storage: StorageSettings, database: Database, lake: Lake) -> Rig:
    return Rig(storage, database, lake)


def test_drain_asks_live_workers(rig: Rig) -> None:
    async def work(landing: Landing) -> None:
        await landing.land(rig.records(0, 50))
        done = await asyncio.to_thread(drain, rig.storage, rig.database, rig.lake, timeout_s=30)
        assert (done.workers, done.adopted) == (1, 0)
        assert (rig.rows(), rig.raw()) == (50, 50)
        await asyncio.to_thread(drain, rig.storage, rig.database, rig.lake, timeout_s=30)
        assert rig.raw() == 50

    rig.run(work)


def test_drain_names_a_worker_that_does_not_answer(rig: Rig) -> None:
    folder = Folder.create(rig.storage.journal_dir)
    with pytest.raises(DrainTimeoutError, match=folder.worker_id):
        drain(rig.storage, rig.database, rig.lake, timeout_s=0.2)
    folder.remove()


def test_drain_adopts_what_nobody_holds(rig: Rig) -> None:
    for part in range(3):
        folder = Folder.create(rig.storage.journal_dir)
        journal = Journal(folder)
        for start in (0, 5):
            journal.append(frames.encode(rig.records(part * 10 + start, part * 10 + start + 5)))
            journal.roll()
        (folder.path / "seal.request").touch()
        folder.release()
    done = drain(rig.storage, rig.database, rig.lake, timeout_s=30)
    assert (done.adopted, done.records, done.workers) == (3, 30, 0)
    assert (rig.rows(), rig.raw(), rig.folders()) == (30, 30, [])


def test_damaged_segments_are_kept_and_the_rest_lands(rig: Rig) -> None:
    folder = Folder.create(rig.storage.journal_dir)
    journal = Journal(folder)
    journal.append(frames.encode(rig.records(0, 5)))
    _, start = journal.append(frames.encode(rig.records(5, 10)))
    journal.append(frames.encode(rig.records(10, 15)))
    with folder.segment(1).open("r+b") as file:
        file.seek(start - 1)
        file.write(b"!")
    folder.release()
    drain(rig.storage, rig.database, rig.lake, timeout_s=30)
    assert (rig.rows(), rig.raw()) == (10, 10)
    assert rig.folders() == [f"{folder.worker_id}-1.damaged"]


def test_a_live_worker_adopts_at_start(rig: Rig) -> None:
    folder = Folder.create(rig.storage.journal_dir)
    Journal(folder).append(frames.encode(rig.records(0, 5)))
    folder.release()

    async def work(landing: Landing) -> None:
        await until(lambda: not folder.path.exists())

    rig.run(work)
    assert (rig.rows(), rig.raw()) == (5, 5)
