"""Rebuilding: everything derived comes back from raw, and a single changed value is found."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from rich.console import Console
from sqlalchemy import URL

from playhead import governance
from tests.integration.landed import FIRST, body, land
from tests.integration.populated import build
from tests.integration.prepared import Prepared, prepared
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, RAW_SESSIONS, Dataset
from warehouse.governance import replaying
from warehouse.governance.rebuilding import rebuild, verify
from warehouse.store import Store

QUIET = Console(quiet=True)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
DERIVED = (CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY)


def fill(store: Store) -> None:
    sessions = [body(n, FIRST + timedelta(days=n % 2), userId=f"u{n % 3}", seekRatio=n / 7) for n in range(20)]
    land(store, sessions)
    land(store, [body(3, FIRST + timedelta(days=1), timestamp=1_900_000_000_000), body(4, FIRST, sessionId=9)])
    build(store)


@pytest.fixture(scope="module")
def home(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with prepared(server_url, template, tmp_path_factory.mktemp("rebuilt") / "home", fill) as made:
        yield made


@pytest.fixture
def filled(home: Prepared, tmp_path: Path) -> Iterator[Store]:
    with home.copied(tmp_path / "home") as store:
        yield store


def differences(store: Store) -> list[str]:
    return [str(difference) for difference in verify(store)]


def sessions(store: Store) -> list[tuple[object, ...]]:
    with store.database.connect() as connection:
        return connection.execute("SELECT * FROM sessions ORDER BY ingest_id").fetchall()


def tables(store: Store) -> list[pl.DataFrame]:
    return [store.lake.read(dataset).sort(dataset.key) for dataset in DERIVED]


def test_what_is_right_is_left_alone(filled: Store) -> None:
    before = sessions(filled)
    assert differences(filled) == []
    assert list(rebuild(filled)) == []
    assert sessions(filled) == before
    assert differences(filled) == []


def change_one(store: Store, dataset: Dataset, column: str, value: object) -> str:
    """Change a value of the first row of a day; return how that is told."""
    frame = store.lake.read(dataset, days=[FIRST])
    first = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value)).otherwise(pl.col(column))
    store.lake.replace_days(dataset, frame.with_columns(first.cast(frame.schema[column]).alias(column)), [FIRST])
    return f"{dataset.name} of {FIRST}: 0 missing, 0 too many, 1 changed"


def test_a_single_changed_value_is_found_and_mended(filled: Store) -> None:
    # What is derived goes first: a changed core makes it stale, and that is left to the next refresh.
    wrong = {
        change_one(filled, OUT_QOE_DAILY, "startup_ms_sq_sum", 0.5),
        change_one(filled, OUT_QOE_HISTOGRAM_DAILY, "n", 7),
    }
    assert wrong <= set(differences(filled))
    wrong = {change_one(filled, CORE_SESSIONS, "content_id", None)}
    assert wrong <= set(differences(filled))
    list(rebuild(filled))
    assert differences(filled) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE sessions SET rebuffer_count = 5 WHERE session_id = 's4'", "0 missing, 0 too many, 1 changed"),
        (
            "UPDATE sessions SET payload = payload || '{\"x\": 1}' WHERE session_id = 's4'",
            "0 missing, 0 too many, 1 changed",
        ),
        ("DELETE FROM sessions WHERE session_id IN ('s4', 's6')", "2 missing, 0 too many, 0 changed"),
        ("UPDATE sessions SET session_id = 'stranger' WHERE session_id = 's4'", "1 missing, 1 too many, 0 changed"),
    ],
)
def test_sessions_in_postgres_are_replayed(filled: Store, statement: str, told: str) -> None:
    before = sessions(filled)
    with filled.database.connect() as connection:
        connection.execute(statement.encode())
    assert differences(filled) == [f"sessions of {FIRST}: {told}"]
    list(replaying.landed(filled, lambda: None, mend=True))
    assert sessions(filled) == before


def test_a_day_that_is_not_built_yet_is_no_difference(filled: Store) -> None:
    land(filled, [body(50, FIRST)])
    assert differences(filled) == []


def test_everything_comes_back_from_raw_alone(filled: Store) -> None:
    before, frames = sessions(filled), tables(filled)
    with filled.database.connect() as connection:
        connection.execute("TRUNCATE sessions, partition_builds, out_qoe_daily, out_qoe_histogram_daily")
    for dataset in DERIVED:
        nothing = pl.DataFrame(schema=filled.lake.schema(dataset))
        filled.lake.replace_days(dataset, nothing, filled.lake.row_counts(dataset))
    assert governance.rebuild(QUIET, filled.settings, verify=True) == 1
    assert governance.rebuild(QUIET, filled.settings, verify=False) == 0
    assert differences(filled) == []
    assert sessions(filled) == before
    for old, new in zip(frames, tables(filled), strict=True):
        assert_frame_equal(old, new, rel_tol=1e-9)


def test_a_session_that_raw_does_not_have_yet_is_no_difference_and_stays(filled: Store) -> None:
    land(filled, [body(60, FIRST)])
    whole, before = filled.lake.read(RAW_SESSIONS, days=[FIRST]), sessions(filled)

    def arrive() -> None:
        filled.lake.replace_days(RAW_SESSIONS, whole, [FIRST])

    for looked in (verify, rebuild):
        filled.lake.replace_days(RAW_SESSIONS, whole.filter(pl.col("session_id") != "s60"), [FIRST])
        assert list(looked(filled, arrive)) == []
        assert sessions(filled) == before
