"""What the lake returned from is on disk, not only in the page cache."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake


def rows(*days: date) -> pl.DataFrame:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    values = dict.fromkeys(RAW_SESSIONS.columns) | {"tenant": "t", "received_at": at}
    frame = pl.DataFrame([values | {"day": day, "ingest_id": str(day)} for day in days], schema=RAW_SESSIONS.schema())
    assert frame.height == len(days)
    return frame


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files and folders that were synced, by the path they had."""
    paths: list[Path] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", fsync)
    return paths


def test_an_append_is_on_disk_with_its_log_and_folders(lake: Lake, synced: list[Path]) -> None:
    lake.append_once(RAW_SESSIONS, rows(date(2026, 3, 1), date(2026, 3, 2)), app_id="worker", version=1)
    table = Path(lake.url) / RAW_SESSIONS.name
    written = set(table.rglob("*.parquet")) | set((table / "_delta_log").glob("*.json"))
    assert len(written) >= 3
    assert written | {path.parent for path in written} | {table} <= set(synced)


def test_an_append_of_another_process_is_synced_before_it_counts(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lake.append_once(RAW_SESSIONS, rows(date(2026, 3, 1)), app_id="worker", version=1)
    calls = []
    monkeypatch.setattr(os, "sync", lambda: calls.append(1))
    assert not lake.append_once(RAW_SESSIONS, rows(date(2026, 3, 1)), app_id="worker", version=1)
    assert calls == [1]


def test_commits_that_replaced_files_are_passed_over(lake: Lake, synced: list[Path]) -> None:
    day = date(2026, 3, 1)
    for _ in range(3):
        lake.replace_days(RAW_SESSIONS, rows(day), [day])
    table = Path(lake.url) / RAW_SESSIONS.name
    for file in table.rglob("*.parquet"):
        if str(file) not in lake.scan(RAW_SESSIONS).explain():
            file.unlink()
    lake.replace_days(RAW_SESSIONS, rows(day), [day])
    assert lake.row_counts(RAW_SESSIONS) == {day: 1}
