"""Incidents: found where they were planted, and nowhere else."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.benchmarks import incidents as benchmark
from tests.benchmarks.planted import DAYS, DIMENSIONS, START, Planted, draw, hourly
from warehouse.metrics import qoe
from warehouse.metrics.incident_rules import Thresholds
from warehouse.metrics.incidents import SCHEMA, detect

BEGIN = datetime.combine(START, datetime.min.time(), UTC)
SLICE = ["dimension", "value", "metric"]


def days(first: float, last: float) -> tuple[datetime, datetime]:
    return BEGIN + timedelta(days=first), BEGIN + timedelta(days=last)


def daily(planted: list[Planted], sessions_a_day: int = 600) -> pl.DataFrame:
    return qoe.aggregate(draw(3, planted, sessions_a_day=sessions_a_day), DIMENSIONS)


@pytest.fixture(scope="module")
def outage() -> pl.DataFrame:
    return daily([Planted("failure_pct", "cdn", "cdn-0", *days(20, 22), 8.0)])


def test_an_outage_is_found_with_its_time_peak_and_baseline(outage: pl.DataFrame) -> None:
    found = detect(outage, "day").filter(pl.col("value") == "cdn-0")
    assert found.select(SLICE).rows() == [("cdn", "cdn-0", "failure_pct")]
    row = found.row(0, named=True)
    assert (row["started_at"], row["ended_at"]) == days(20, 22)
    assert row["detected_at"] == row["started_at"] + timedelta(days=1)
    assert row["low"] < row["peak"] < row["high"]
    assert 1.5 < row["baseline"] < 4
    assert row["severity"] == "critical"


def test_nothing_is_found_in_quiet_weeks() -> None:
    assert detect(daily([]), "day").is_empty()


def test_what_has_not_ended_is_open_and_closes_with_the_next_quiet_day(outage: pl.DataFrame) -> None:
    def end(last: int) -> datetime | None:
        known = outage.filter(pl.col("day") < (BEGIN + timedelta(days=last)).date())
        return detect(known, "day").filter(pl.col("value") == "cdn-0").item(0, "ended_at")

    assert end(22) is None
    assert end(24) == days(20, 22)[1]


def test_the_past_tells_the_same_whatever_comes_later(outage: pl.DataFrame) -> None:
    known = outage.filter(pl.col("day") < (BEGIN + timedelta(days=24)).date())
    whole = detect(outage, "day").filter(pl.col("detected_at") <= BEGIN + timedelta(days=24))
    assert (
        detect(known, "day").select("tenant", *SLICE, "started_at").equals(whole.select("tenant", *SLICE, "started_at"))
    )


def test_a_long_incident_does_not_become_its_own_baseline() -> None:
    lasting = daily([Planted("startup_ms", None, None, *days(20, 26), 2.0)])
    row = detect(lasting, "day").filter(pl.col("dimension") == "all").row(0, named=True)
    assert (row["started_at"], row["ended_at"]) == days(20, 26)
    assert row["peak"] / row["baseline"] == pytest.approx(2.0, rel=0.15)


def test_a_level_that_stays_is_usual_after_some_weeks() -> None:
    staying = daily([Planted("startup_ms", None, None, *days(14, DAYS), 2.0)])
    row = detect(staying, "day").filter(pl.col("dimension") == "all").row(0, named=True)
    assert row["ended_at"] is not None
    assert timedelta(days=8) < row["ended_at"] - row["started_at"] < timedelta(days=25)


def test_a_small_slice_needs_a_larger_jump() -> None:
    """The same rise is sure in many sessions and chance in a few."""
    rise = {"metric": "rebuffer_pct_play", "dimension": None, "value": None, "factor": 2.0}
    first, last = days(20, 21)
    many = detect(daily([Planted(first=first, last=last, **rise)], 3000), "day")
    few = detect(daily([Planted(first=first, last=last, **rise)], 60), "day")
    assert "all" in many["dimension"].to_list()
    assert few.is_empty()


def test_one_session_that_stalls_for_hours_is_no_incident() -> None:
    core = draw(3, [], sessions_a_day=300)
    day, hours = (BEGIN + timedelta(days=25)).date(), 3_600_000
    odd = (pl.col("day") == day) & (pl.int_range(pl.len()).over("day") == 0)
    core = core.with_columns(
        rebuffer_ms=pl.when(odd).then(8 * hours).otherwise("rebuffer_ms"),
        startup_ms=pl.when(odd).then(hours // 6).otherwise("startup_ms"),
    )
    assert detect(qoe.aggregate(core, DIMENSIONS), "day").is_empty()


def test_thresholds_are_kept(outage: pl.DataFrame) -> None:
    assert detect(outage, "day", Thresholds(rise=20.0)).is_empty()
    assert detect(outage, "day", Thresholds(cohort=100_000)).is_empty()
    assert detect(outage, "day", Thresholds(history_days=30)).is_empty()


def test_tenants_are_judged_by_themselves(outage: pl.DataFrame) -> None:
    other = daily([]).with_columns(tenant=pl.lit("quiet"))
    found = detect(pl.concat([outage, other]), "day")
    assert found.select(SLICE).rows() == detect(outage, "day").select(SLICE).rows()
    assert set(found["tenant"]) == {"t"}


def test_an_empty_frame_has_no_incidents(outage: pl.DataFrame) -> None:
    assert detect(outage.clear(), "day").schema == SCHEMA


def test_silence_ends_an_incident(outage: pl.DataFrame) -> None:
    known = outage.filter(pl.col("day") < (BEGIN + timedelta(days=22)).date())
    later = detect(known, "day", until=BEGIN + timedelta(days=40)).filter(pl.col("value") == "cdn-0")
    assert later.item(0, "ended_at") == days(20, 22)[1]


def test_hours_show_when_it_began() -> None:
    first = BEGIN + timedelta(days=20, hours=17)
    slow = Planted("startup_ms", "network_type", "network_type-0", first, first + timedelta(hours=6), 2.5)
    core = draw(4, [slow], sessions_a_day=6000)
    near = pl.col("day").is_between(*(at.date() for at in days(8, 22)))
    found = detect(hourly(core.filter(near)), "hour")
    row = found.sort("score", descending=True).row(0, named=True)
    assert (row["dimension"], row["value"]) == ("network_type", "network_type-0")
    assert abs(row["started_at"] - first) <= timedelta(hours=1)
    assert abs(row["ended_at"] - first - timedelta(hours=6)) <= timedelta(hours=1)


def test_planted_incidents_are_found_and_explained_without_false_alarms() -> None:
    figures = benchmark.summary([benchmark.trial(0)])
    assert figures["recall"] >= 0.9
    assert figures["false_alarms_a_week"] <= 1
    assert figures["root_cause_top1"] >= 0.9
    assert figures["naive_false_alarms_a_week"] > 5
