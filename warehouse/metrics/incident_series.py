"""Sums of `out` as series over time: one matrix of moments a metric, one column a slice.

What is expected of a series is in `incident_baseline`, when it stands out in `incidents`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.datasets import CONTENT_DIMENSION
from warehouse.metrics.slices import OTHER

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Grain = Literal["hour", "day"]

STEP = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
_SILENCE = timedelta(days=3)
ALL_DIMENSION = "all"
"""The value of `dimension` for the slice of all sessions of a tenant."""
SLICE = ("tenant", "dimension", "value", "content_id", "stream_type")

METRICS = ("failure_pct", "rebuffer_pct_play", "startup_ms")
"""failure_pct: sessions that ended by an error, before or after their start, of attempts (Conviva's VSF and VPF
together); rebuffer_pct_play and mean startup_ms as in `qoe`."""
FACTOR = {"failure_pct": 100.0, "rebuffer_pct_play": 100.0, "startup_ms": 1000.0}
"""From the quotient of the moments to the metric's own unit."""


class Moments(NamedTuple):
    """Sums of the terms of a ratio, of any common shape: n, numerator, denominator, their squares and product.

    Times are in seconds. A proportion and a mean are ratios whose denominator is 1 in each session.
    """

    n: Floats
    num: Floats
    den: Floats
    num_sq: Floats
    den_sq: Floats
    num_den: Floats

    def at(self, index: object) -> "Moments":
        """Return the same moments of a part of the arrays."""
        return Moments(*(array[index] for array in self))  # type: ignore[call-overload]

    def cumulated(self) -> "Moments":
        """Return the sums over all earlier times: row t holds those of the rows before t."""
        return Moments(*(np.vstack([np.zeros((1, array.shape[1])), np.cumsum(array, axis=0)]) for array in self))

    def spread(self, ratio: Floats) -> Floats:
        """Return the sum of squares of num - ratio x den, never below 0."""
        return np.maximum(self.num_sq - 2 * ratio * self.num_den + ratio**2 * self.den_sq, 0.0)


@dataclass(frozen=True)
class Series:
    """What was measured: `moments` of each metric with a row a step of time and a column a slice.

    `whole` gives for every column that of all sessions of the same tenant.
    """

    start: datetime
    grain: Grain
    slices: pl.DataFrame
    whole: Integers
    moments: dict[str, Moments]

    @property
    def steps(self) -> int:
        """Steps of time, those without sessions included."""
        return len(self.moments[METRICS[0]].n)

    def time(self, step: int) -> datetime:
        """Return when a step begins, UTC."""
        return self.start + step * STEP[self.grain]

    def season(self, period: Literal["hour", "weekday"]) -> Integers:
        """Return for every step its hour of the day or its weekday, Monday 0, UTC."""
        times = [self.time(step) for step in range(self.steps)]
        return np.array([time.hour if period == "hour" else time.weekday() for time in times])


def series(out: pl.DataFrame, grain: Grain, fewest: int, until: datetime | None = None) -> Series:
    """Arrange rows of `OUT_QOE_DAILY` or, by the hour, of `OUT_QOE_HOURLY` as series.

    Slices are all sessions of a tenant, each content x stream type, and each value of a configured dimension; those
    with fewer than `fewest` sessions in all are left out, and so are values that were not sent and the folded rest,
    which are no one thing. Steps go on to `until`, at most three days without rows. `out` must not be empty.
    """
    long = _with_all(_sums(out, grain))
    enough = pl.col("n").sum().over(SLICE) >= fewest
    long = long.filter(enough | (pl.col("dimension") == ALL_DIMENSION))
    slices = long.select(SLICE).unique().sort(SLICE, nulls_last=False)
    numbered = slices.with_row_index("slice")
    long = long.join(numbered, on=SLICE, nulls_equal=True)
    start = long.select(pl.col("at").min()).item()
    step = ((long["at"] - start).dt.total_hours() // (24 if grain == "day" else 1)).to_numpy()
    steps = int(step.max()) + 1
    if until is not None:
        silent = (until - start) // STEP[grain] - steps
        steps += min(max(silent, 0), _SILENCE // STEP[grain])
    shape = (steps, slices.height)
    place = (step, long["slice"].to_numpy())

    def dense(column: str) -> Floats:
        array = np.zeros(shape)
        array[place] = long[column].to_numpy()
        return array

    moments = {metric: Moments(*(dense(f"{metric}_{name}") for name in Moments._fields)) for metric in METRICS}
    whole = numbered.filter(pl.col("dimension") == ALL_DIMENSION).select("tenant", whole="slice")
    return Series(
        start=start,
        grain=grain,
        slices=slices,
        whole=slices.join(whole, on="tenant", maintain_order="left")["whole"].cast(pl.Int64).to_numpy(),
        moments=moments,
    )


def _sums(out: pl.DataFrame, grain: Grain) -> pl.DataFrame:
    at = pl.col("hour") if grain == "hour" else pl.col("day").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    own = pl.col("dimension") == CONTENT_DIMENSION
    single = own | (pl.col("value").is_not_null() & (pl.col("value") != OTHER))
    sums = out.lazy().filter(single).group_by(at.alias("at"), *SLICE).agg(n=pl.col("sessions").sum(), **_terms())
    return sums.collect()


def _with_all(sums: pl.DataFrame) -> pl.DataFrame:
    content = sums.filter(pl.col("dimension") == CONTENT_DIMENSION)
    measures = [name for name in sums.columns if name not in {"at", *SLICE}]
    everything = content.group_by("at", "tenant").agg(pl.col(measures).sum())
    absent = [pl.lit(None, pl.String).alias(name) for name in SLICE[2:]]
    return pl.concat(
        [sums, everything.with_columns(pl.lit(ALL_DIMENSION).alias("dimension"), *absent).select(sums.columns)]
    )


def _terms() -> dict[str, pl.Expr]:
    failures = pl.col("video_start_failure_n") + pl.col("playback_failure_n")
    attempts = pl.col("outcome_n")
    rebuffer = {name: pl.col(f"rebuffer_pct_play_{name}_sum") for name in ("num", "den", "num_sq", "den_sq", "num_den")}
    startup_n, startup_s = pl.col("startup_ms_n"), pl.col("startup_ms_sum") * 1e-3
    terms: dict[str, Sequence[pl.Expr]] = {
        "failure_pct": (attempts, failures, attempts, failures, attempts, failures),
        "rebuffer_pct_play": (
            pl.col("rebuffer_pct_play_n"),
            rebuffer["num"] * 1e-3,
            rebuffer["den"] * 1e-3,
            rebuffer["num_sq"],
            rebuffer["den_sq"],
            rebuffer["num_den"],
        ),
        "startup_ms": (startup_n, startup_s, startup_n, pl.col("startup_ms_sq_sum"), startup_n, startup_s),
    }
    return {
        f"{metric}_{name}": term.sum().cast(pl.Float64)
        for metric, parts in terms.items()
        for name, term in zip(Moments._fields, parts, strict=True)
    }
