"""What explains an incident, and which slices tell of the same one."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.benchmarks.planted import DAYS, DIMENSIONS, START, Planted, draw
from warehouse.metrics import qoe, root_causes
from warehouse.metrics.incident_groups import distinct
from warehouse.metrics.incident_terms import in_slice, slice_name
from warehouse.metrics.incidents import detect

BEGIN = datetime.combine(START, datetime.min.time(), UTC)
END = BEGIN + timedelta(days=DAYS)
NAMES = tuple(DIMENSIONS)


def day(number: float) -> datetime:
    return BEGIN + timedelta(days=number)


def alarms(core: pl.DataFrame) -> pl.DataFrame:
    return distinct(detect(qoe.aggregate(core, DIMENSIONS), "day"), core, END, rise=1.3)


@pytest.fixture(scope="module")
def outage() -> pl.DataFrame:
    return draw(5, [Planted("failure_pct", "cdn", "cdn-0", day(20), day(21), 8.0)], sessions_a_day=1500)


def test_an_outage_is_one_alarm_that_names_the_slice(outage: pl.DataFrame) -> None:
    found = detect(qoe.aggregate(outage, DIMENSIONS), "day")
    assert found.height > 5
    alone = alarms(outage)
    assert [slice_name(row) for row in alone.to_dicts()] == ["cdn=cdn-0"]
    assert {"all", "app_version=app_version-0"} <= set(alone["also"][0])
    assert len(alone["also"][0]) == found.height - 1


def test_two_outages_at_one_time_are_two_alarms() -> None:
    both = [
        Planted("failure_pct", "cdn", "cdn-1", day(20), day(21), 8.0),
        Planted("failure_pct", "content_id", "content_id-0", day(20), day(21), 20.0),
    ]
    core = draw(5, both, sessions_a_day=1500)
    assert {slice_name(row) for row in alarms(core).to_dicts()} == {"cdn=cdn-1", "content=content_id-0/dash"}


def test_the_first_cause_is_the_true_one_with_its_share(outage: pl.DataFrame) -> None:
    causes = root_causes.rank(outage, alarms(outage).row(0, named=True), NAMES, END)
    first = causes.row(0, named=True)
    assert (first["dimension"], first["value"]) == ("cdn", "cdn-0")
    assert first["low"] < 1 < first["high"]
    assert first["p_value"] < 1e-6
    assert causes["score"].is_sorted(descending=True)
    assert causes.filter(pl.col("p_value") < 0.05).height == 1


def test_what_hits_everybody_has_no_cause() -> None:
    core = draw(6, [Planted("startup_ms", None, None, day(20), day(21), 2.5)], sessions_a_day=1500)
    alone = alarms(core)
    assert [slice_name(row) for row in alone.to_dicts()] == ["all"]
    assert root_causes.rank(core, alone.row(0, named=True), NAMES, END).filter(pl.col("p_value") < 0.05).is_empty()


def test_a_value_that_is_always_worse_is_no_cause() -> None:
    """Network 3 stalls about twice as much as others on every day: an outage of a CDN is not its doing."""
    core = draw(7, [Planted("rebuffer_pct_play", "cdn", "cdn-0", day(20), day(21), 4.0)], sessions_a_day=1500)
    causes = root_causes.rank(core, alarms(core).row(0, named=True), NAMES, END)
    sure = causes.filter(pl.col("p_value") < 0.05)
    assert sure.select("dimension", "value").row(0) == ("cdn", "cdn-0")
    assert "network_type" not in sure["dimension"].to_list()


def test_a_value_without_a_past_can_be_the_cause() -> None:
    """A release that came with the incident is measured against what was usual of all."""
    core = draw(8, [Planted("startup_ms", "app_version", "app_version-1", day(20), day(21), 2.5)], sessions_a_day=1500)
    new = (pl.col("app_version") == "app_version-1") & (pl.col("started_at") >= day(20))
    old = pl.when(pl.col("app_version") == "app_version-1").then(pl.lit("app_version-0")).otherwise("app_version")
    core = core.with_columns(app_version=pl.when(new).then(pl.lit("new")).otherwise(old))
    alone = alarms(core)
    first = root_causes.rank(core, alone.row(0, named=True), NAMES, END).row(0, named=True)
    assert (first["dimension"], first["value"]) == ("app_version", "new")


def test_sessions_of_a_slice_are_those_of_its_tenant(outage: pl.DataFrame) -> None:
    row = {"tenant": "t", "dimension": "cdn", "value": "cdn-0", "content_id": None, "stream_type": None}
    assert outage.filter(in_slice(row)).equals(outage.filter(pl.col("cdn") == "cdn-0"))
    assert outage.filter(in_slice(row | {"tenant": "other"})).is_empty()
    content = row | {"dimension": "content", "content_id": "content_id-3", "stream_type": None}
    assert outage.filter(in_slice(content)).is_empty()


def test_without_incidents_there_is_nothing_to_group(outage: pl.DataFrame) -> None:
    found = detect(qoe.aggregate(outage, DIMENSIONS), "day").clear()
    assert distinct(found, outage, END, rise=1.3).columns == [*found.columns, "also"]
