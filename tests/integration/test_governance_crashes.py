"""A crash in the middle of retaining, forgetting or rebuilding: the next run ends where an unbroken one does."""

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.integration import governing
from tests.integration.landed import FIRST, body, land
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, RAW_SESSIONS
from warehouse.derivations import DERIVATIONS
from warehouse.rebuilding import verify
from warehouse.store import Store

EARLY, LATE = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 4, 20, tzinfo=UTC)
NOW = datetime(2026, 6, 15, tzinfo=UTC)
"""More than 90 days after the early arrivals, fewer after the late ones."""
WHO = "viewer-to-forget"


def sums(store: Store) -> pl.DataFrame:
    return store.lake.read(OUT_QOE_DAILY).sort(OUT_QOE_DAILY.key)


def die(store: Store, point: str, call: int, command: str) -> None:
    """Run the command in a process of its own until it dies at the point."""
    url = store.settings.database_url
    assert url is not None
    where = (str(store.settings.home), url.render_as_string(hide_password=False))
    arguments = [point, str(call), command, NOW.isoformat(), *where]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.governing", *arguments], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode() or "the point was not reached"


@pytest.fixture
def filled(store: Store) -> Store:
    land(store, [body(n, FIRST + timedelta(days=n % 2), userId=f"u{n % 3}") for n in range(8)], now=EARLY)
    land(store, [body(n, FIRST, userId=WHO if n == 20 else "other") for n in range(20, 24)], now=LATE)
    at = replace(store, settings=replace(store.settings, fixed_now=NOW))
    for step in DERIVATIONS:
        building.build(at, step, building.stale_days(at, step))
    return at


@pytest.mark.parametrize(
    ("point", "call"),
    [
        ("after days are replaced", 1),
        ("after days are filtered", 1),
        ("before a build is recorded", 2),
        ("after the sessions of Postgres went", 1),
    ],
)
def test_retention_goes_on_after_a_crash(filled: Store, point: str, call: int) -> None:
    before = sums(filled)
    die(filled, point, call, "retain")
    governing.run("retain", filled.settings)
    names = [f"s{n}" for n in range(20, 24)]
    assert sorted(filled.lake.read(RAW_SESSIONS)["session_id"]) == names
    assert sorted(filled.lake.read(CORE_SESSIONS)["session_id"]) == names
    assert_frame_equal(sums(filled), before, rel_tol=1e-9)
    assert list(verify(filled)) == []


@pytest.mark.parametrize(
    ("point", "call"),
    [
        ("after the tombstone", 1),
        ("after days are filtered", 1),
        ("before the receipt is closed", 1),
    ],
)
def test_forgetting_goes_on_after_a_crash(filled: Store, point: str, call: int) -> None:
    die(filled, point, call, f"forget {WHO}")
    governing.run(f"forget {WHO}", filled.settings)
    assert filled.lake.read(RAW_SESSIONS, lambda rows: rows.filter(pl.col("payload").str.contains(WHO))).is_empty()
    assert filled.lake.read(CORE_SESSIONS).height == 11
    assert list(verify(filled)) == []
    with filled.database.connect() as connection:
        receipts = connection.execute("SELECT count(*), count(finished_at) FROM erasures").fetchone()
    assert receipts == (1, 1)


def test_rebuilding_goes_on_after_a_crash(filled: Store) -> None:
    with filled.database.connect() as connection:
        connection.execute("UPDATE sessions SET rebuffer_count = 9")
    die(filled, "before a commit in Postgres", 3, "rebuild")
    governing.run("rebuild", filled.settings)
    assert list(verify(filled)) == []
