"""Which days stand apart, and which sessions went worst."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from dashboards.worst import worst_sessions
from tests.unit.session_frames import START, core_frame
from warehouse.metrics.odd_days import odd_days

FIRST = date(2026, 3, 1)


def daily(values: list[float | None], half: float) -> pl.DataFrame:
    rows = [
        (FIRST + timedelta(days=index), "vsf_pct", value, value and value - half, value and value + half, 100)
        for index, value in enumerate(values)
    ]
    schema = {"day": pl.Date(), "metric": pl.String(), "value": pl.Float64(), "low": pl.Float64(), "high": pl.Float64()}
    return pl.DataFrame(rows, schema=schema | {"n": pl.Int64()}, orient="row")


def test_a_bad_day_stands_apart() -> None:
    odd = odd_days(daily([1.0, 1.1, 0.9, 1.0, 5.0, 1.05, None], half=0.2))
    assert odd.rows() == [("vsf_pct", date(2026, 3, 5))]


@pytest.mark.parametrize(
    ("values", "half"),
    [
        ([1.0, 1.1, 0.9, 1.0, 5.0, 1.05], 9.0),  # a wide interval: may be chance
        ([1.0, 3.0, 2.0, 4.0, 5.0, 0.5], 0.01),  # every day differs: no usual day
        ([1.0, 1.1, 9.0], 0.1),  # too few days to say what is usual
        ([], 0.1),
    ],
)
def test_no_day_stands_apart(values: list[float | None], half: float) -> None:
    assert odd_days(daily(values, half)).is_empty()


def session(name: str, **measures: Any) -> dict[str, Any]:
    fair = {"startup_ms": 400, "play_ms": 600_000, "rebuffer_ms": 0, "rebuffer_count": 0, "error_count": 0}
    return {"session_id": name, "ingest_id": f"i-{name}", "started_at": START} | fair | measures


def test_failures_come_first_then_the_longest_waits() -> None:
    core = core_frame(
        [
            session("fair"),
            session("slow", startup_ms=12_000),
            session("stalled", rebuffer_ms=30_000),
            session("broke", error_count=1, rebuffer_ms=100),
            session("never", error_count=1, startup_ms=None, play_ms=None, rebuffer_ms=None),
            session("unknown", startup_ms=None, play_ms=None, rebuffer_ms=None, error_count=None),
            session("share", play_ms=20_000, rebuffer_ms=5_000),
        ]
    )
    assert worst_sessions(core)["session_id"].to_list() == ["never", "broke", "stalled", "slow", "share"]


def test_no_class_crowds_out_another() -> None:
    never = [session(f"never{i}", error_count=1, startup_ms=None, play_ms=None) for i in range(40)]
    core = core_frame([*never, session("stalled", rebuffer_ms=30_000)])
    found = worst_sessions(core, limit=9)
    assert found.height == 9
    assert found["session_id"][-1] == "stalled"


def test_the_way_back_to_raw_and_the_dimensions_are_kept() -> None:
    core = core_frame([session("slow", startup_ms=12_000, app_version="2")], {"app_version": "appVersion"})
    row = worst_sessions(core, ("app_version",)).row(0, named=True)
    assert (row["ingest_id"], row["app_version"]) == ("i-slow", "2")


def test_without_bad_sessions_the_frame_is_empty() -> None:
    assert worst_sessions(core_frame([session("fair")])).is_empty()
