"""Slices: which table answers, and that sums of days answer as core does."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.session_frames import DAY, START, core_frame
from tests.unit.test_qoe import random_core
from warehouse.datasets import (
    CORE_SESSIONS,
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HOURLY,
)
from warehouse.metrics import histogram, qoe
from warehouse.metrics.registry import ESTIMATES
from warehouse.metrics.slicing import Frames, Slice

DIMENSIONS = {"cdn": "cdn", "country": "country"}
DAYS = 75


def tables(core: pl.DataFrame) -> Frames:
    return Frames(
        {
            CORE_SESSIONS.name: core,
            OUT_QOE_DAILY.name: qoe.aggregate(core, DIMENSIONS),
            OUT_QOE_HOURLY.name: qoe.aggregate(core, DIMENSIONS, OUT_QOE_HOURLY),
            OUT_QOE_HISTOGRAM_DAILY.name: histogram.aggregate(core, DIMENSIONS),
            OUT_QOE_HISTOGRAM_HOURLY.name: histogram.aggregate(core, DIMENSIONS, OUT_QOE_HISTOGRAM_HOURLY),
        }
    )


@pytest.fixture(scope="module")
def stored() -> Frames:
    """75 days, 90 contents; values of country are few, of cdn so many that on some days they are folded."""
    numbers = pl.int_range(pl.len())
    days = (numbers * 7919) % DAYS
    core = random_core(20_000).with_columns(
        day=pl.lit(DAY) + pl.duration(days=days),
        started_at=pl.lit(START) + pl.duration(days=days, hours=numbers % 5),
        tenant=pl.when(numbers % 3 == 0).then(pl.lit("u")).otherwise(pl.lit("t")),
    )
    return tables(core)


def from_core(given: Frames, by: list[str], where: list[pl.Expr]) -> Slice:
    """The same question, with a condition that is always true and that only core can tell."""
    return qoe.slice(given, by, [*where, pl.col("session_id").is_null() | True])


PERIODS = st.lists(st.sampled_from(["hour", "day", "week", "month", "tenant"]), max_size=2, unique=True)
NAMES = st.sampled_from([[], ["content_id"], ["stream_type"], ["content_id", "stream_type"], ["country"]])
WHERE = {
    "week": pl.col("week") >= date(2026, 3, 16),
    "month": pl.col("month") == date(2026, 4, 1),
    "tenant": pl.col("tenant") == "t",
    "hour": pl.col("hour").dt.hour() == 14,
    "day": pl.col("day").is_between(date(2026, 3, 3), date(2026, 3, 29)),
}


@settings(max_examples=12, deadline=None)
@given(by=PERIODS, names=NAMES, where=st.lists(st.sampled_from(sorted(WHERE)), max_size=2, unique=True))
def test_sums_of_days_answer_as_core_does(stored: Frames, by: list[str], names: list[str], where: list[str]) -> None:
    predicates = [WHERE[name] for name in where]
    summed = qoe.slice(stored, [*by, *names], predicates)
    recomputed = from_core(stored, [*by, *names], predicates)
    assert summed.source == ("out_qoe_hourly" if "hour" in {*by, *where} else "out_qoe_daily")
    assert recomputed.source == "core_sessions"
    assert_frame_equal(summed.frame, recomputed.frame, rel_tol=1e-9, abs_tol=1e-12)


def test_a_slice_is_what_its_sessions_say(stored: Frames) -> None:
    found = qoe.slice(stored, ["week"], pl.col("country") == "NZ", ["startup_ms", "vsf_pct", "rebuffers_per_hour"])
    core = stored.scan(CORE_SESSIONS).filter(pl.col("country") == "NZ").collect()
    both = core.filter(pl.col("rebuffer_count").is_not_null() & pl.col("play_ms").is_not_null())
    week = pl.col("day").dt.truncate("1w").alias("week")
    by_hand = {
        "startup_ms": core.group_by(week).agg(value=pl.col("startup_ms").mean()),
        "vsf_pct": core.group_by(week).agg(value=100 * (pl.col("outcome") == "video_start_failure").mean()),
        "rebuffers_per_hour": both.group_by(week).agg(
            value=pl.col("rebuffer_count").sum() / (pl.col("play_ms").sum() / 3_600_000)
        ),
    }
    assert found.source == "out_qoe_daily"
    for metric, expected in by_hand.items():
        rows = found.frame.filter(metric=metric).drop_nulls("value")
        assert rows.height >= 10
        assert_frame_equal(rows.select("week", "value"), expected.sort("week").join(rows, on="week", how="semi"))


@pytest.mark.parametrize(
    ("by", "where", "reason"),
    [
        (["cdn"], None, "rare values of cdn"),
        (["country", "stream_type"], None, "country and stream_type together"),
        (["week"], pl.col("country").is_null() & (pl.col("content_id") == "c1"), "country and content_id"),
        (["user_id"], None, "no sums are kept by user_id"),
    ],
)
def test_core_answers_what_sums_cannot(stored: Frames, by: list[str], where: pl.Expr | None, reason: str) -> None:
    found = qoe.slice(stored, by, () if where is None else where, ["rebuffer_pct_play"])
    assert found.source == "core_sessions"
    assert reason in found.reason
    assert found.frame.columns == [*by, "metric", "value", "low", "high", "n"]
    assert found.frame["n"].sum() > 0


def test_folded_values_matter_only_where_they_are() -> None:
    """60 values on one day, one on the next: the second day's sums are whole."""
    crowd = [{"cdn": f"v{n}", "started_at": START} for n in range(60)]
    one = [{"cdn": "v59", "day": DAY + timedelta(days=1), "started_at": START + timedelta(days=1)}] * 3
    given = tables(core_frame([*crowd, *one], DIMENSIONS))
    asked = pl.col("cdn") == "v59"
    assert qoe.slice(given, ["day"], asked).source == "core_sessions"
    assert qoe.slice(given, ["day"], [asked, pl.col("day") > DAY]).source == "out_qoe_daily"


def test_nothing_has_no_rows_and_no_group_one_each() -> None:
    empty = tables(core_frame([], DIMENSIONS))
    assert qoe.slice(empty, ["content_id"]).frame.is_empty()
    assert qoe.slice(empty).frame.select("metric", "n").rows() == [(name, 0) for name in ESTIMATES]
    assert qoe.slice(empty, ["hour"]).frame.is_empty()


def test_what_does_not_exist_is_refused(stored: Frames) -> None:
    with pytest.raises(ValueError, match="no metric of a slice: sessions"):
        qoe.slice(stored, metrics=["sessions"])
    with pytest.raises(ValueError, match="no such column: colour"):
        qoe.slice(stored, ["colour"])
