"""Small files put together, removed ones cleared away: readers and builds notice nothing."""

import threading
from datetime import date
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from tests.integration.landed import FIRST, body, land
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, RAW_SESSIONS
from warehouse.derivations import DERIVATIONS
from warehouse.governance import housekeeping
from warehouse.store import Store


def files(store: Store) -> list[Path]:
    return sorted(path for path in (Path(store.lake.url) / RAW_SESSIONS.name).rglob("*.parquet") if "day=" in str(path))


def test_compaction_changes_no_row_and_makes_nothing_stale(store: Store) -> None:
    for n in range(housekeeping.SMALL_FILES):
        land(store, [body(n, FIRST)])
    for step in DERIVATIONS:
        building.build(store, step, building.stale_days(store, step))
    before = store.lake.read(RAW_SESSIONS).sort("ingest_id")
    scan = store.lake.scan(RAW_SESSIONS)
    assert housekeeping.compact(store, RAW_SESSIONS) == [FIRST]
    assert_frame_equal(store.lake.read(RAW_SESSIONS).sort("ingest_id"), before)
    assert scan.select(pl.len()).collect().item() == before.height
    assert building.stale_days(store) == []
    assert housekeeping.clear_away(store.lake, RAW_SESSIONS) == housekeeping.SMALL_FILES
    assert len(files(store)) == 1
    assert_frame_equal(store.lake.read(RAW_SESSIONS).sort("ingest_id"), before)
    land(store, [body(99, FIRST)])
    assert building.stale_days(store) == [FIRST]
    assert housekeeping.compact(store, RAW_SESSIONS) == []


def test_a_stale_day_stays_stale(store: Store) -> None:
    for n in range(housekeeping.SMALL_FILES):
        land(store, [body(n, FIRST)])
    assert housekeeping.compact(store, RAW_SESSIONS) == [FIRST]
    assert building.stale_days(store) == [FIRST]


def test_what_a_crashed_writer_left_is_cleared_away(store: Store) -> None:
    land(store, [body(1, FIRST)])
    orphan = files(store)[0].with_name("left-by-a-crash.parquet")
    orphan.write_bytes(files(store)[0].read_bytes())
    assert store.lake.read(RAW_SESSIONS).height == 1
    assert housekeeping.clear_away(store.lake, RAW_SESSIONS) == 1
    assert not orphan.exists()


def test_readers_go_on_while_files_are_replaced_and_cleared_away(store: Store) -> None:
    lake, done = store.lake, threading.Event()
    frame = pl.DataFrame(
        [{"day": FIRST, "tenant": "t", "session_id": str(n)} for n in range(50)], schema=lake.schema(CORE_SESSIONS)
    )
    lake.replace_days(CORE_SESSIONS, frame, [FIRST])
    seen: set[int] = set()

    def look() -> None:
        while not done.is_set():
            seen.add(lake.read(CORE_SESSIONS, lambda rows: rows.select("session_id")).height)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(15):
        lake.replace_days(CORE_SESSIONS, frame, [FIRST])
        housekeeping.clear_away(lake, CORE_SESSIONS)
    done.set()
    for reader in readers:
        reader.join()
    assert seen == {50}


def test_a_log_is_shortened(store: Store) -> None:
    empty = pl.DataFrame(schema=store.lake.schema(CORE_SESSIONS))
    for _ in range(3):
        store.lake.replace_days(CORE_SESSIONS, empty, [date(2026, 1, 1)])
    housekeeping.shorten_log(store.lake, CORE_SESSIONS)
    assert list((Path(store.lake.url) / CORE_SESSIONS.name / "_delta_log").glob("*.checkpoint.parquet"))
