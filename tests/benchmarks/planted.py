"""Sessions with planted incidents: viewers with habits, days and weeks with their rhythm, and trouble in known slices.

Drawn as arrays, so that six weeks take a moment. What is made of them is in `tests.benchmarks.incidents`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.datasets import CORE_SESSIONS, OUT_QOE_HOURLY
from warehouse.metrics import qoe
from warehouse.metrics.outcomes import outcome

START = date(2026, 3, 2)
DAYS = 42
QUIET_DAYS = 10
"""Days at the beginning without incidents."""
SESSIONS_A_DAY = 12_000
VIEWERS = 30_000
DIMENSIONS = {"device_model": "d", "network_type": "n", "country": "c", "cdn": "x", "app_version": "v"}
SIZES = {
    "device_model": [0.22, 0.18, 0.16, 0.14, 0.12, 0.10, 0.08],
    "network_type": [0.55, 0.15, 0.18, 0.12],
    "country": [0.34, 0.22, 0.14, 0.10, 0.10, 0.10],
    "cdn": [0.6, 0.4],
    "app_version": [0.6, 0.25, 0.15],
    "content_id": [0.14, 0.12, 0.1, *[0.04] * 16],
}
_FAILURE, _STALLS_AN_HOUR = 0.02, 12.0

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Planted:
    """Trouble in one slice (dimension None: everywhere): what is measured rises by `factor` from `first` to `last`."""

    metric: str
    dimension: str | None
    value: str | None
    first: datetime
    last: datetime
    factor: float


def plant(rng: np.random.Generator, count: int = 6) -> list[Planted]:
    """Draw incidents of various slices, sizes and lengths, one in each part of the weeks after the quiet days."""
    span = (DAYS - QUIET_DAYS) / count
    planted = []
    for number in range(count):
        metric = ("failure_pct", "rebuffer_pct_play", "startup_ms")[number % 3]
        dimension = rng.choice([None, *SIZES], p=[0.16, *[0.14] * 6])
        value = (
            None
            if dimension is None
            else str(rng.choice([f"{dimension}-{i}" for i in range(len(SIZES[dimension][:6]))]))
        )
        hours = float(rng.choice([3, 6, 12, 30]))
        first = datetime.combine(START, datetime.min.time(), UTC) + timedelta(
            days=QUIET_DAYS + span * number + rng.uniform(0, 0.35 * span), hours=0
        )
        first = first.replace(minute=0, second=0, microsecond=0)
        low, high = {"failure_pct": (4, 10), "rebuffer_pct_play": (2.5, 7), "startup_ms": (1.7, 3.5)}[metric]
        planted.append(
            Planted(metric, dimension, value, first, first + timedelta(hours=hours), float(rng.uniform(low, high)))
        )
    return planted


def draw(seed: int, planted: list[Planted], *, sessions_a_day: int = SESSIONS_A_DAY) -> pl.DataFrame:
    """Return core sessions of `DAYS` days with the planted trouble among them."""
    rng = np.random.default_rng(seed)
    n = DAYS * sessions_a_day
    viewer = rng.choice(VIEWERS, n, p=_activity(rng))
    hours = _hours(rng, n)
    codes = _codes(rng, viewer)
    evening = 0.5 + 0.5 * np.cos((hours % 24 - 20.5) / 24 * 2 * np.pi)
    weekend = ((hours // 24 + START.weekday()) % 7) >= 5
    factors = _factors(planted, hours, codes)
    failing = _FAILURE * rng.gamma(2.0, 0.5, VIEWERS)[viewer] * (0.8 + 0.4 * evening) * (1 + 0.15 * weekend)
    failed = rng.random(n) < np.minimum(failing * factors["failure_pct"], 0.95)
    early = failed & (rng.random(n) < 0.5)
    slow = rng.normal(0, 0.35, VIEWERS)[viewer] + rng.normal(0, 0.12, 7)[codes["device_model"]]
    startup = 800 * np.exp(slow + rng.normal(0, 0.5, n)) * (0.9 + 0.2 * evening + 0.1 * weekend) * factors["startup_ms"]
    play = np.where(failed, 0.3, 1.0) * np.maximum(rng.gamma(1.2, 1_200_000, n), 5_000) * ~early
    restless = rng.normal(0, 0.5, VIEWERS)[viewer] + np.array([0.0, -0.4, 0.3, 0.7])[codes["network_type"]]
    rate = _STALLS_AN_HOUR * np.exp(restless) * (0.75 + 0.5 * evening) * factors["rebuffer_pct_play"]
    stalls = rng.poisson(rate * play / 3_600_000 * (rng.random(n) < 0.55))
    stalled = rng.gamma(np.maximum(stalls, 1e-9), 2_500) * (stalls > 0)
    return _core(hours, viewer, codes, early, failed, startup, play, stalls, stalled)


def _activity(rng: np.random.Generator) -> Floats:
    weight = rng.gamma(1.2, size=VIEWERS)
    return np.asarray(weight / weight.sum())


def _hours(rng: np.random.Generator, n: int) -> Floats:
    """Draw starts, in hours since the beginning: evenings and weekends are busy, and every day has its own mood."""
    weekday = (np.arange(DAYS) + START.weekday()) % 7
    appetite = np.array([1.0, 1.0, 1.0, 1.0, 1.15, 1.45, 1.4])[weekday] * rng.lognormal(0, 0.06, DAYS)
    clock = np.where(rng.random(n) < 0.7, rng.normal(20.0, 2.5, n), rng.uniform(0, 24, n)) % 24
    return np.asarray(rng.choice(DAYS, n, p=appetite / appetite.sum()) * 24 + clock)


def _codes(rng: np.random.Generator, viewer: Integers) -> dict[str, Integers]:
    """Draw the slices: a viewer keeps device, country and release, a country leans to a CDN, the rest is by session."""
    codes = {
        name: rng.choice(len(shares), VIEWERS, p=np.array(shares) / sum(shares))[viewer]
        for name, shares in SIZES.items()
        if name in {"device_model", "country", "app_version"}
    }
    n = len(viewer)
    for name in ("network_type", "content_id"):
        codes[name] = rng.choice(len(SIZES[name]), n, p=np.array(SIZES[name]) / sum(SIZES[name]))
    first = np.array([0.75, 0.7, 0.6, 0.5, 0.3, 0.3])[codes["country"]]
    codes["cdn"] = (rng.random(n) >= first).astype(np.int64)
    return codes


def _factors(planted: list[Planted], hours: Floats, codes: dict[str, Integers]) -> dict[str, Floats]:
    factors = {metric: np.ones(len(hours)) for metric in ("failure_pct", "rebuffer_pct_play", "startup_ms")}
    origin = datetime.combine(START, datetime.min.time(), UTC)
    for trouble in planted:
        first, last = ((at - origin) / timedelta(hours=1) for at in (trouble.first, trouble.last))
        hit = (hours >= first) & (hours < last)
        if trouble.dimension is not None and trouble.value is not None:
            hit &= codes[trouble.dimension] == int(trouble.value.rsplit("-", 1)[1])
        factors[trouble.metric][hit] *= trouble.factor
    return factors


def _core(
    hours: Floats,
    viewer: Integers,
    codes: dict[str, Integers],
    early: NDArray[np.bool_],
    failed: NDArray[np.bool_],
    startup: Floats,
    play: Floats,
    stalls: Integers,
    stalled: Floats,
) -> pl.DataFrame:
    number = pl.int_range(len(hours), eager=True)
    origin = datetime.combine(START, datetime.min.time(), UTC)
    started = pl.lit(origin).dt.cast_time_unit("us") + pl.duration(milliseconds=pl.col("at_ms"))
    slices = {
        name: (f"{name}-" + pl.Series(code.astype(str))).cast(pl.Categorical).cast(pl.String)
        for name, code in codes.items()
    }
    columns = {
        "at_ms": (hours * 3_600_000).astype(np.int64),
        "user_id": viewer.astype(str),
        "startup_ms": pl.Series(startup.astype(np.int64)).set(pl.Series(early), None),
        "play_ms": play.astype(np.int64),
        "rebuffer_ms": stalled.astype(np.int64),
        "rebuffer_count": stalls,
        "error_count": failed.astype(np.int64),
        **slices,
    }
    frame = pl.DataFrame(columns).with_columns(
        tenant=pl.lit("t"),
        stream_type=pl.lit("dash"),
        session_id=number.cast(pl.String),
        started_at=started,
        seek_ms=pl.lit(0),
        seek_count=pl.lit(0),
        clock_suspect=pl.lit(False),
    )
    frame = frame.with_columns(day=pl.col("started_at").dt.date()).with_columns(outcome=outcome())
    schema = CORE_SESSIONS.schema(DIMENSIONS)
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    )


def hourly(core: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `OUT_QOE_HOURLY` of these sessions."""
    return qoe.aggregate(core, DIMENSIONS, OUT_QOE_HOURLY)
