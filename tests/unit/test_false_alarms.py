"""Comparisons of viewers split at random: how often they find what is not there, and how often they miss what is.

500 splits are compared at once, as groups of one frame.
"""

import functools

import numpy as np
import polars as pl

from tests.unit.session_frames import core_frame
from warehouse.metrics.clusters import COMPARED, INDEPENDENT, TOGETHER
from warehouse.metrics.comparison import compare
from warehouse.metrics.outcomes import outcome
from warehouse.metrics.watch_time import compare_stalls

SEEDS, USERS, EACH = 500, 200, 10
COLUMNS = ("tenant", "session_id", "identity_at", "user_id", "device_id", "outcome", "duration_ms", "startup_ms")
MEASURES = ("play_ms", "rebuffer_ms", "rebuffer_count")


@functools.cache
def trials() -> pl.DataFrame:
    """Sessions of viewers with habits, in `seed` and `side` "a" or "b"; every viewer is on one side, by lot."""
    rng = np.random.default_rng(2020)
    users = SEEDS * USERS
    n = users * EACH

    def habit(spread: float) -> np.ndarray:
        return np.repeat(rng.normal(0.0, spread, users), EACH)

    slow = habit(0.18)
    play = rng.lognormal(np.log(600_000), 0.8, n) * np.exp(habit(0.2))
    stalled = rng.random(n) < 0.4
    shares = 0.03 * rng.gamma(0.7, 0.5, n) * np.exp(habit(1.0))
    failing = 0.03 * np.repeat(rng.gamma(0.8, 1.25, (3, users)), EACH, axis=1)
    fails, exits, breaks = rng.random((3, n)) < np.minimum(failing, 0.9)
    started = ~(fails | exits)

    def measured(values: np.ndarray) -> pl.Series:
        return pl.select(pl.when(pl.Series(started)).then(pl.Series(values.astype(np.int64)))).to_series()

    frame = core_frame([]).select(*COLUMNS, *MEASURES).clear(n).with_columns(
        tenant=pl.lit("t"),
        session_id=pl.Series(np.arange(n)).cast(pl.String),
        user_id=pl.Series(np.repeat(np.arange(users), EACH)).cast(pl.String),
        duration_ms=pl.lit(30_000, pl.Int64),
        startup_ms=measured(rng.lognormal(np.log(800), 0.5, n) * np.exp(slow)),
        play_ms=measured(play),
        rebuffer_ms=measured(stalled * shares * play),
        rebuffer_count=measured(stalled * 1.0),
        error_count=pl.Series((fails | (breaks & started)).astype(np.int64)),
        seed=pl.Series(np.repeat(np.arange(SEEDS), USERS * EACH)),
        side=pl.Series(np.repeat(rng.choice(["a", "b"], users), EACH)),
    )  # fmt: skip
    return frame.with_columns(outcome=outcome())


def alarms(found: pl.DataFrame) -> dict[str, float]:
    counted = found.group_by("metric").agg((pl.col("p_value") < 0.05).mean(), pl.len())
    assert (counted["len"] == SEEDS).all()
    return dict(counted.select("metric", "p_value").iter_rows())


def sides(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    return frame.filter(pl.col("side") == "a"), frame.filter(pl.col("side") == "b")


def test_viewers_split_at_random_differ_in_one_case_of_twenty() -> None:
    found = compare(*sides(trials()), by=("seed",))
    assert set(found["assumption"]) == {TOGETHER}
    rates = alarms(found)
    assert set(rates) == set(COMPARED)
    assert all(0.03 <= rate <= 0.07 for rate in rates.values()), rates


def test_sessions_taken_for_independent_would_cry_wolf() -> None:
    anonymous = trials().with_columns(user_id=pl.lit(None, pl.String))
    found = compare(*sides(anonymous), ("rebuffer_pct_play", "startup_ms"), ("seed",))
    assert set(found["assumption"]) == {INDEPENDENT}
    rates = alarms(found)
    assert all(0.10 <= rate <= 0.14 for rate in rates.values()), rates


def test_stalls_at_equal_watch_time_differ_in_one_case_of_twenty() -> None:
    found = compare_stalls(*sides(trials()), by=("seed",))
    assert 0.03 <= alarms(found)["rebuffer_pct_play"] <= 0.07
    assert found["covered"].min() > 0.95


def test_watch_time_is_no_difference_in_stalls() -> None:
    """Short sessions stall more, on both sides alike; side b has fewer long ones."""
    often = (pl.col("rebuffer_ms") * (pl.col("play_ms") / 600_000) ** -1.0).cast(pl.Int64)
    a, b = sides(trials().with_columns(rebuffer_ms=often))
    shorter = b.filter((pl.col("play_ms") < 900_000) | (pl.col("session_id").hash(1) % 3 == 0))
    assert alarms(compare(a, shorter, ("rebuffer_pct_play",), ("seed",)))["rebuffer_pct_play"] > 0.15
    assert 0.03 <= alarms(compare_stalls(a, shorter, ("seed",)))["rebuffer_pct_play"] <= 0.07


def shifted(by_ms: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    a, b = sides(trials())
    return a, b.with_columns(pl.col("startup_ms") - round(by_ms))


def test_intervals_of_a_difference_cover_it_and_it_is_found_as_often_as_is_said() -> None:
    detectable = compare(*sides(trials()), ("startup_ms",), ("seed",))["detectable"].mean()
    assert isinstance(detectable, float)
    truth = round(detectable)
    found = compare(*shifted(truth), ("startup_ms",), ("seed",))
    assert 0.93 <= found.select(pl.lit(truth).is_between("low", "high").mean()).item() <= 0.97
    assert 0.75 <= alarms(found)["startup_ms"] <= 0.85
    for side in "ab":
        mean = 800 * np.exp((0.5**2 + 0.18**2) / 2) - 0.5 - (truth if side == "b" else 0)
        assert 0.93 <= found.select(pl.lit(mean).is_between(f"{side}_low", f"{side}_high").mean()).item() <= 0.97
