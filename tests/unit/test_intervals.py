"""Intervals: known values, and coverage of the truth in simulated samples."""

import numpy as np
import polars as pl
import pytest

from warehouse.metrics import intervals

REPLICATES = 4_000
COLUMNS = {name: pl.col(name) for name in ("n", "a", "b", "aa", "bb", "ab")}


def moments(a, b):
    """Sums over the columns of (replicates, n) samples."""
    return pl.DataFrame(
        {
            "n": [a.shape[1]] * len(a),
            "a": a.sum(1),
            "b": b.sum(1),
            "aa": (a * a).sum(1),
            "bb": (b * b).sum(1),
            "ab": (a * b).sum(1),
        }
    )


def coverage(frame, value, half, truth):
    found = frame.select(((value - half) <= truth) & (truth <= (value + half))).to_series()
    assert found.null_count() == 0
    return found.mean()


def sessions(n, seed=11):
    """Play and rebuffer seconds that hang together, and depend on the session's network."""
    rng = np.random.default_rng(seed)
    network = rng.gamma(4, 0.25, (REPLICATES, n))
    play = rng.gamma(3, 60, (REPLICATES, n)) / network
    return play * network * rng.gamma(2, 0.005, (REPLICATES, n)), play


@pytest.mark.parametrize("n", [100, 1_000])
def test_ratios_cover_the_truth(n):
    rebuffer, play = sessions(n)
    # E[network-independent play] = 180, E[1 / gamma(4, .25)] = 4 / 3, E[share] = 0.01.
    truth = 180 * 0.01 / (180 * 4 / 3)
    value, half = intervals.ratio(*COLUMNS.values())
    assert 0.93 <= coverage(moments(rebuffer, play), value, half, truth) <= 0.97


@pytest.mark.parametrize("n", [20, 200])
def test_means_cover_the_truth(n):
    values = np.random.default_rng(12).gamma(9, 100, (REPLICATES, n))
    value, half = intervals.mean(COLUMNS["n"], COLUMNS["a"], COLUMNS["aa"])
    assert 0.93 <= coverage(moments(values, values), value, half, 900.0) <= 0.97


@pytest.mark.parametrize(("n", "p"), [(60, 0.3), (500, 0.02), (5_000, 0.004)])
def test_proportions_cover_the_truth(n, p):
    hits = np.random.default_rng(13).binomial(n, p, 20_000)
    share, low, high = intervals.proportion(pl.lit(n), pl.col("hits"))
    frame = pl.DataFrame({"hits": hits}).select(share.alias("share"), low.alias("low"), high.alias("high"))
    assert 0.93 <= frame.select((pl.col("low") <= p) & (p <= pl.col("high"))).to_series().mean() <= 0.97
    assert frame.select((pl.col("low") <= pl.col("share")) & (pl.col("share") <= pl.col("high"))).to_series().all()


def test_wilson_by_its_published_values():
    share, low, high = intervals.proportion(pl.lit(263), pl.lit(81))
    assert pl.select(share=share, low=low, high=high).row(0) == pytest.approx((0.3080, 0.2553, 0.3662), abs=1e-4)


@pytest.mark.parametrize(("hits", "expected"), [(0, (0, 0, 0.278)), (10, (1, 0.722, 1))])
def test_none_and_all_still_have_an_interval(hits, expected):
    share, low, high = intervals.proportion(pl.lit(10), pl.lit(hits))
    found = pl.select(share=share, low=low, high=high).row(0)
    assert found == pytest.approx(expected, abs=1e-3)
    assert 0 <= found[1] <= found[0] <= found[2] <= 1


@pytest.mark.parametrize(("n", "expected"), [(11, 2.2281), (20, 2.0930), (121, 1.9799), (10_000_000, 1.9600)])
def test_critical_values_are_those_of_student(n, expected):
    assert pl.select(intervals.critical(pl.lit(n))).item() == pytest.approx(expected, abs=1e-3)


def test_a_ratio_of_constants_is_a_mean():
    values = np.random.default_rng(14).gamma(2, 3, (5, 40))
    frame = moments(values, np.ones_like(values))
    for ratio, mean in zip(
        intervals.ratio(*COLUMNS.values()), intervals.mean(*map(pl.col, ("n", "a", "aa"))), strict=True
    ):
        assert frame.select(ratio).to_series().to_list() == pytest.approx(frame.select(mean).to_series().to_list())


def test_nothing_is_known_of_nothing_or_of_what_does_not_vary():
    same = moments(np.full((1, 30), 0.1), np.full((1, 30), 0.3))
    value, half = intervals.ratio(*COLUMNS.values())
    assert same.select(value.alias("value"), half.alias("half")).row(0) == (pytest.approx(1 / 3), None)
    empty = moments(np.empty((1, 0)), np.empty((1, 0)))
    assert empty.select(value.alias("value"), half.alias("half")).row(0) == (None, None)
    mean, spread = intervals.mean(*map(pl.col, ("n", "a", "aa")))
    assert empty.select(mean.alias("value"), spread.alias("half")).row(0) == (None, None)
    share, low, high = intervals.proportion(pl.lit(0), pl.lit(0))
    assert pl.select(share=share, low=low, high=high).row(0) == (None, None, None)
