"""Sums at over 100 million hours of play, against exact arithmetic."""

import math

import numpy as np
import polars as pl
import pytest

from tests.unit.session_frames import core_frame
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.metrics import histogram, qoe
from warehouse.metrics.outcomes import outcome
from warehouse.metrics.slicing import Frames

N = 240_000
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def core() -> pl.DataFrame:
    """Sessions of up to 596 hours, the longest that a payload can tell, on 30 days and in 50 contents."""
    rng = np.random.default_rng(4)
    drawn = {
        "play_ms": rng.integers(1_200_000_000, 2_147_483_647, N),
        "rebuffer_ms": rng.integers(0, 2_000_000, N),
        "startup_ms": rng.integers(100, 9_000, N),
        "seek_ms": rng.integers(0, 90_000, N),
        "rebuffer_count": rng.integers(0, 500, N),
        "bitrate_bps": rng.integers(100_000, 40_000_000, N),
        "error_count": np.zeros(N, dtype=int),
    }
    frame = core_frame([{}] * N).with_columns(
        day=pl.date(2026, 3, 1) + pl.duration(days=pl.Series(rng.integers(0, 30, N))),
        content_id=pl.Series(rng.integers(0, 50, N)).cast(pl.String),
        **{name: pl.Series(values) for name, values in drawn.items()},
    )
    return frame.with_columns(outcome=outcome())


def test_sums_and_ratios_are_right_to_1e9(core: pl.DataFrame) -> None:
    out = qoe.aggregate(core, {})
    columns = {
        name: core[name].to_list() for name in ("play_ms", "rebuffer_ms", "startup_ms", "seek_ms", "bitrate_bps")
    }
    play, rebuffer = sum(columns["play_ms"]), sum(columns["rebuffer_ms"])
    assert play > 100_000_000 * HOUR_MS
    assert int(out["play_ms_sum"].sum()) == play
    assert int(out["rebuffer_pct_play_den_sum"].sum()) == play + rebuffer
    waited = rebuffer + sum(columns["startup_ms"]) + sum(columns["seek_ms"])
    bits = sum(bitrate * ms for bitrate, ms in zip(columns["bitrate_bps"], columns["play_ms"], strict=True))
    exact = {
        "rebuffer_pct_play": 100 * rebuffer / (play + rebuffer),
        "wait_pct": 100 * waited / (waited + play),
        "bitrate_bps": bits / play,
        "rebuffers_per_hour": sum(core["rebuffer_count"].to_list()) / play * HOUR_MS,
        "startup_ms": sum(columns["startup_ms"]) / N,
    }
    tables = {OUT_QOE_DAILY.name: out, OUT_QOE_HISTOGRAM_DAILY.name: histogram.aggregate(core, {})}
    found = dict(qoe.slice(Frames(tables), metrics=list(exact)).frame.select("metric", "value").iter_rows())
    assert found == pytest.approx(exact, rel=1e-9)


def test_second_moments_are_right_to_1e9(core: pl.DataFrame) -> None:
    out = qoe.aggregate(core, {})
    den = (core["play_ms"] + core["rebuffer_ms"]).to_list()
    num = core["rebuffer_ms"].to_list()
    assert out["rebuffer_pct_play_den_sq_sum"].sum() == pytest.approx(sum(d * d for d in den) / 1e6, rel=1e-9)
    products = sum(a * b for a, b in zip(num, den, strict=True)) / 1e6
    assert out["rebuffer_pct_play_num_den_sum"].sum() == pytest.approx(products, rel=1e-9)
    bits = [b * p for b, p in zip(core["bitrate_bps"].to_list(), core["play_ms"].to_list(), strict=True)]
    assert out["bitrate_bps_num_sq_sum"].sum() == pytest.approx(math.fsum((b / 1e9) ** 2 for b in bits), rel=1e-9)
