"""A crash between any two steps of the landing path loses nothing that was acknowledged and duplicates nothing."""

import signal
import subprocess
import sys

import polars as pl
import psycopg
import pytest

from ingest.recovery import drain
from tests.integration.crashing import POINTS
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

LANDING = [(point, 1) for point in POINTS] + [
    ("after the write, before the journal counts it", 2),
    ("between statement and commit", 2),
    ("after the append to the lake, before unlinking", 2),
]
DRAINING = [
    "after the acknowledgement, before following",
    "between statement and commit",
    "after the quarantine",
    "before the append to the lake",
    "after the append to the lake, before unlinking",
    "after unlinking",
    "while the folder is removed",
]


def crash(storage: StorageSettings, point: str, call: int, mode: str) -> list[str]:
    """Run a process until it dies at the point; return the sessions it acknowledged."""
    assert storage.database_url is not None
    url = storage.database_url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.integration.crashing", point, str(call), mode, str(storage.home), url]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode in {-signal.SIGKILL, 0}, done.stderr.decode()
    died = done.returncode != 0
    # A worker removes its folder once, and the first round may be followed in one statement.
    assert died or call == 2, "the point was not reached"
    return [line.removeprefix("acknowledged ") for line in done.stdout.decode().splitlines()]


def check(acknowledged: list[str], storage: StorageSettings, database: Database, lake: Lake) -> None:
    """Everything acknowledged is in raw once, and in Postgres once or quarantined; nothing is there twice."""
    drain(storage, database, lake, timeout_s=30)
    raw = lake.scan(RAW_SESSIONS).collect()
    with database.connect() as connection:
        rows = [row[0] for row in connection.execute("SELECT session_id FROM sessions")]
        quarantined = {str(row[0]) for row in connection.execute("SELECT ingest_id FROM quarantine")}
    names = raw["session_id"].to_list()
    assert raw["ingest_id"].n_unique() == raw.height
    assert len(set(names)) == len(names)
    assert set(acknowledged) <= set(names)
    assert sorted(rows) == sorted(name for name in names if not name.endswith("-7"))
    refused = raw.filter(pl.col("refused").is_not_null())
    assert set(refused["ingest_id"]) == quarantined
    assert all(name.endswith("-7") for name in refused["session_id"])
    assert len(quarantined) == sum(name.endswith("-7") for name in names)
    assert [path.name for path in storage.journal_dir.iterdir()] == []


@pytest.mark.parametrize(("point", "call"), LANDING, ids=lambda value: str(value))
def test_worker_dies(storage: StorageSettings, database: Database, lake: Lake, point: str, call: int) -> None:
    acknowledged = crash(storage, point, call, "land")
    check(acknowledged, storage, database, lake)


@pytest.mark.parametrize("point", DRAINING)
def test_recovery_dies_too(storage: StorageSettings, database: Database, lake: Lake, point: str) -> None:
    acknowledged = crash(storage, "after the acknowledgement, before following", 1, "land")
    crash(storage, point, 1, "drain")
    check(acknowledged, storage, database, lake)


def test_repeated_crashes(storage: StorageSettings, database: Database, lake: Lake) -> None:
    acknowledged = [name for point in list(POINTS)[:6] for name in crash(storage, point, 2, "land")]
    check(acknowledged, storage, database, lake)


def test_placement_survives(storage: StorageSettings, connection: psycopg.Connection) -> None:
    crash(storage, "after the commit, before sealing", 1, "land")
    keys = connection.execute("SELECT count(*), count(DISTINCT session_id) FROM session_keys").fetchone()
    rows = connection.execute("SELECT count(*) FROM sessions").fetchone()
    assert keys is not None
    assert rows is not None
    assert keys[0] == keys[1] == rows[0] > 0
