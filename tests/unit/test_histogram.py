"""Quantiles from buckets, against the exact nearest rank. How often their intervals cover is in `test_coverage`."""

import math

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.session_frames import core_frame
from warehouse.datasets import OUT_QOE_HISTOGRAM_DAILY
from warehouse.metrics import histogram
from warehouse.metrics.histogram import GAMMA, bucket, quantiles

QS = (0.01, 0.25, 0.5, 0.75, 0.95, 0.99)


def histogram_of(values):
    return histogram.aggregate(core_frame([]).clear(len(values)).with_columns(startup_ms=pl.Series(values)), {})


def buckets(values):
    frame = nw.from_native(pl.DataFrame({"v": pl.Series(values, dtype=pl.Int64)}))
    return frame.select(b=bucket(nw.col("v"))).to_native()["b"]


def nearest_rank(values, q):
    return sorted(values)[math.ceil(q * len(values)) - 1]


@settings(deadline=None)
@given(st.integers(1, 2_147_483_647))
def test_a_bucket_holds_its_values(value):
    number = buckets([value])[0]
    assert number >= 1
    assert GAMMA ** (number - 1) <= value * (1 + 1e-12)
    assert value <= GAMMA**number * (1 + 1e-12)


def test_zero_null_and_one():
    assert buckets([0, None, 1]).to_list() == [0, None, 1]


SOME = st.integers(0, 3) | st.integers(0, 20_000) | st.integers(0, 2_147_483_647)
TIES = st.lists(SOME, min_size=1, max_size=4).flatmap(
    lambda few: st.lists(st.sampled_from(few), min_size=20, max_size=200)
)


@settings(deadline=None)
@given(st.lists(SOME, min_size=20, max_size=200) | TIES)
def test_quantiles_are_within_one_percent_of_the_exact_nearest_rank(values):
    found = quantiles(histogram_of(values), qs=QS)
    for q, value in zip(QS, found["value"], strict=True):
        exact = nearest_rank(values, q)
        if len(values) * min(q, 1 - q) < histogram.MIN_TAIL:
            assert value is None
        else:
            assert abs(value - exact) <= 0.01 * exact * (1 + 1e-9)
    shown = found.drop_nulls()
    assert (shown["low"] <= shown["value"]).all()
    assert (shown["value"] <= shown["high"]).all()


@pytest.mark.parametrize(("median_ms", "sigma"), [(60, 0.4), (800, 0.8), (2_500, 1.3)])
def test_quantiles_of_realistic_startups(median_ms, sigma):
    values = np.random.default_rng(5).lognormal(math.log(median_ms), sigma, 50_000).astype(int)
    found = quantiles(histogram_of(values))
    assert found["metric"].to_list() == ["startup_ms_p50", "startup_ms_p75", "startup_ms_p95", "startup_ms_p99"]
    exact = [nearest_rank(values, q) for q in (0.5, 0.75, 0.95, 0.99)]
    assert found["value"].to_list() == pytest.approx(exact, rel=0.01)


def test_too_few_have_no_quantile():
    found = quantiles(histogram_of(range(100, 119)))
    assert (found["value"].null_count(), found["n"].to_list()) == (4, [19] * 4)
    found = quantiles(histogram_of(range(100, 200)))
    assert found["value"].is_null().to_list() == [False, False, False, True]


def test_nothing_measured_has_no_quantile():
    assert quantiles(histogram_of([None] * 30)).select("value", "n").unique().rows() == [(None, 0)]


def test_quantiles_of_groups():
    core = core_frame([{"content_id": c, "startup_ms": ms} for c, ms in (("a", 100), ("b", 900)) for _ in range(30)])
    found = quantiles(histogram.aggregate(core, {}), qs=(0.5, 0.25), by=["content_id"])
    assert found.columns == ["content_id", "metric", "value", "low", "high", "n"]
    assert found.select("content_id", "metric").rows() == [(c, f"startup_ms_{p}") for c in "ab" for p in ("p50", "p25")]
    assert found["value"].to_list() == pytest.approx([100, 100, 900, 900], rel=0.01)


@pytest.mark.parametrize("q", [0, 1, -0.1, 95])
def test_a_quantile_is_between_0_and_1(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantiles(histogram_of([1]), qs=(q,))


@settings(deadline=None)
@given(st.lists(SOME, min_size=1, max_size=50), st.sampled_from([1, 3, 10]))
def test_bars_hold_every_session_between_their_edges(values, merge):
    bars = histogram.distribution(histogram_of(values), merge=merge)
    assert bars.columns == ["low_ms", "high_ms", "n"]
    assert bars["n"].sum() == len(values)
    assert (bars["low_ms"].shift(-1) - bars["high_ms"]).drop_nulls().ge(-1e-3).all()
    for low, high, n in bars.iter_rows():
        assert sum(low * (1 - 1e-12) <= value < high * (1 + 1e-12) for value in values) >= n


def test_the_schema_is_exact():
    assert histogram_of([0, 5]).schema == OUT_QOE_HISTOGRAM_DAILY.schema()
