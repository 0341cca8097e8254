"""The experience score, against its formula worked out by hand."""

import math

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.session_frames import core_frame
from warehouse.metrics.experience import experience_score

PLAYED = {"startup_ms": 2000, "play_ms": 90_000, "rebuffer_ms": 10_000, "rebuffer_count": 4, "error_count": 0}
WAITED = {"duration_ms": 8000, "error_count": 0}


def score(**columns):
    core = core_frame([columns])
    return nw.from_native(core).lazy().select(score=experience_score()).collect().to_native()["score"].item()


def test_a_played_session():
    smoothness = (100 / math.sqrt(1 + 2**2) + 100 * math.exp(-1)) / 2
    assert score(**PLAYED) == pytest.approx((80 + smoothness) / 2, rel=1e-12)
    assert score(**PLAYED | {"startup_ms": 0, "rebuffer_ms": 0, "rebuffer_count": 0}) == 100


@pytest.mark.parametrize("unknown", ["startup_ms", "play_ms", "rebuffer_ms", "rebuffer_count", "error_count"])
def test_a_played_session_needs_every_term(unknown):
    assert score(**PLAYED | {unknown: None}) is None


def test_a_start_without_play_has_no_stalled_share():
    expected = (80 + (100 / math.sqrt(5) + 100) / 2) / 2
    assert score(**PLAYED | {"play_ms": 0, "rebuffer_ms": 0}) == pytest.approx(expected)


def test_failures_score_nothing_whatever_else_is_known():
    assert score(error_count=1) == 0
    assert score(**PLAYED | {"error_count": 1}) == 0
    assert score(startup_ms=5, error_count=2) == 0


def test_an_exit_before_start_waited_in_vain_for_its_duration():
    assert score(**WAITED) == pytest.approx(0.5 * (50 + 100) / 2)
    assert score(**WAITED | {"play_ms": 0, "rebuffer_ms": 0, "rebuffer_count": 0}) == pytest.approx(37.5)
    stalled = (50 + (100 / math.sqrt(2) + 100 * math.exp(-10)) / 2) / 2
    assert score(**WAITED | {"rebuffer_ms": 700, "rebuffer_count": 2}) == pytest.approx(0.5 * stalled)


@pytest.mark.parametrize("duration", [None, 1, 1000])
def test_an_exit_within_a_second_has_no_score(duration):
    assert score(**WAITED | {"duration_ms": duration}) is None
    assert score(**WAITED | {"duration_ms": 1001}) is not None


MEASURE = st.none() | st.integers(0, 2_147_483_647)


@settings(deadline=None)
@given(MEASURE, MEASURE, MEASURE, MEASURE, st.none() | st.integers(1, 2_147_483_647), st.sampled_from([None, 0, 1]))
def test_every_score_is_between_0_and_100_or_null(startup, play, rebuffer, stalls, duration, errors):
    found = score(
        startup_ms=startup,
        play_ms=play,
        rebuffer_ms=rebuffer,
        rebuffer_count=stalls,
        duration_ms=duration,
        error_count=errors,
    )
    assert found is None or 0 <= found <= 100
    assert pl.Series([found], dtype=pl.Float64).is_nan().any() is False
