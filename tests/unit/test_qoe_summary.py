"""Metrics read from sums: values by hand, groups, too few."""

import polars as pl
import pytest

from tests.unit.session_frames import core_frame
from warehouse.metrics import qoe
from warehouse.metrics.registry import SUMMED

DIMENSIONS = {"cdn": "cdn"}
FULL = {
    "startup_ms": 500, "play_ms": 60_000, "rebuffer_ms": 2_000, "rebuffer_count": 3, "seek_ms": 1_500, "seek_count": 2,
    "dropped_frames": 30, "bitrate_bps": 4_000_000, "error_count": 0, "rebuffer_ratio_media3": 0.03, "cdn": "x",
}  # fmt: skip
OTHER = FULL | {"play_ms": 30_000, "bitrate_bps": 1_000_000, "rebuffer_ms": 0, "rebuffer_count": 0, "seek_count": 0}


def out(*rows):
    return qoe.aggregate(core_frame(rows, DIMENSIONS), DIMENSIONS)


def by_metric(frame):
    return {row["metric"]: row for row in frame.iter_rows(named=True)}


def test_values_are_ratios_of_sums_in_the_units_of_their_names():
    found = by_metric(qoe.summarize(out(*[FULL, OTHER] * 50)))
    values = {name: found[name]["value"] for name in SUMMED if name != "experience_score"}
    assert values == pytest.approx(
        {
            "rebuffer_pct_play": 100 * 2 / 92,
            "rebuffer_pct_cta": 100 * 2 / 96,
            "rebuffer_ratio_media3": 0.03,
            "rebuffers_per_hour": 3 / (90 / 3600),
            "startup_ms": 500,
            "vsf_pct": 0,
            "ebvs_pct": 0,
            "vpf_pct": 0,
            "failure_pct": 0,
            "wait_pct": 100 * 6 / 96,
            "bitrate_bps": 3_000_000,
            "dropped_frames_per_min": 40,
            "seeks_per_session": 1,
            "mean_seek_ms": 1_500,
        }
    )
    assert all(row["low"] <= row["value"] <= row["high"] for row in found.values() if row["low"] is not None)
    assert {row["n"] for row in found.values()} == {100}


def test_failure_rates_are_of_attempts_and_of_ended_plays():
    rows = [FULL] * 50 + [FULL | {"error_count": 1}] * 10 + [{"error_count": 1}] * 25 + [{"error_count": 0}] * 15
    found = by_metric(qoe.summarize(out(*rows, *[FULL | {"error_count": None}] * 100)))
    assert (found["vsf_pct"]["value"], found["vsf_pct"]["n"]) == (25, 100)
    assert (found["ebvs_pct"]["value"], found["ebvs_pct"]["n"]) == (15, 100)
    assert (found["vpf_pct"]["value"], found["vpf_pct"]["n"]) == (pytest.approx(100 / 6), 60)
    assert (found["failure_pct"]["value"], found["failure_pct"]["n"]) == (35, 100)


def test_sessions_that_do_not_differ_have_no_interval():
    row = by_metric(qoe.summarize(out(*[FULL] * 100)))["bitrate_bps"]
    assert (row["value"], row["low"], row["high"]) == (4_000_000, None, None)


def test_too_few_have_no_value():
    assert by_metric(qoe.summarize(out(*[FULL, OTHER] * 49)))["startup_ms"] == {
        "metric": "startup_ms", "value": None, "low": None, "high": None, "n": 98,
    }  # fmt: skip
    assert by_metric(qoe.summarize(out(*[FULL, OTHER] * 50)))["startup_ms"]["value"] == 500


def test_nothing_watched_has_no_ratio():
    row = by_metric(qoe.summarize(out(*[FULL | {"play_ms": 0, "rebuffer_ms": 0}] * 130)))["rebuffer_pct_play"]
    assert (row["value"], row["n"]) == (None, 130)


def test_every_metric_of_every_group_in_order():
    assert qoe.summarize(out())["metric"].to_list() == list(SUMMED)
    rows = [FULL | {"content_id": c} for c in "ba" for _ in range(20)]
    frame = qoe.summarize(out(*rows), by=["content_id"])
    assert frame.columns == ["content_id", "metric", "value", "low", "high", "n"]
    assert frame.select("content_id", "metric").rows() == [(c, metric) for c in "ab" for metric in SUMMED]
    assert frame["n"].unique().to_list() == [20]


def test_content_rows_are_taken_where_several_dimensions_are_given():
    given = out(*[FULL, OTHER] * 15)
    content = given.filter(dimension="content")
    assert qoe.summarize(given).equals(qoe.summarize(content))
    assert qoe.summarize(given.lazy()).equals(qoe.summarize(given.filter(dimension="cdn")))


def test_values_of_a_dimension_are_named_apart_from_the_values_of_metrics():
    given = out(*[FULL] * 120, *[FULL | {"cdn": None}] * 130)
    expected = qoe.summarize(given.filter(dimension="cdn"), by=["value"])
    assert expected.filter(metric="startup_ms").select("dimension_value", "value", "n").rows() == [
        (None, 500.0, 130),
        ("x", 500.0, 120),
    ]
    grouped = qoe.summarize(given, by=["dimension", "value"]).filter(dimension="cdn")
    assert grouped.drop("dimension").equals(expected)


def test_rows_that_cannot_be_told_apart_are_refused():
    given = out(FULL)
    with pytest.raises(ValueError, match="several dimensions"):
        qoe.summarize(given, by=["value"])
    two = pl.concat([given.filter(dimension="cdn"), given.filter(dimension="cdn").with_columns(dimension=pl.lit("a"))])
    with pytest.raises(ValueError, match=r"several dimensions \(a, cdn\)"):
        qoe.summarize(two)
