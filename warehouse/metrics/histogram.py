"""Log-spaced histograms: quantiles from counts that add up.

`aggregate` goes from core to `OUT_QOE_HISTOGRAM_DAILY` and `_HOURLY`, on any engine; `quantiles` and `distribution`
read its rows.

Bucket 0 holds exactly 0; bucket b >= 1 holds values in [GAMMA^(b-1), GAMMA^b), for values that are 0 or at least 1.
GAMMA is 1.01: an estimate interpolated within a bucket may fall anywhere in it, so that an error of at most 1 % of the
exact nearest rank is only certain if the bucket itself is no wider than that. (A width of 1.02 would do for midpoints;
but intervals from midpoints miss the truth ever more often as n grows.)
"""

import math
from collections.abc import Mapping, Sequence

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrameT

from warehouse.datasets import HISTOGRAM_METRICS, OUT_QOE_HISTOGRAM_DAILY, Dataset
from warehouse.metrics.intervals import Z
from warehouse.metrics.qoe_summary import choose_rows
from warehouse.metrics.registry import MIN_N, QUANTILES
from warehouse.metrics.slices import Frame, sums_by_slice

GAMMA = 1.01

MIN_TAIL = 5
"""A quantile with fewer sessions than this expected on either side of it has no value: too few."""

_PER_LOG = 1 / math.log(GAMMA)


def bucket(value: nw.Expr) -> nw.Expr:
    """Return the bucket number of a value that is 0 or at least 1; null stays null."""
    positive = nw.when(value > 0).then(value).otherwise(value * 0 + 1)
    number = (positive.cast(nw.Float64()).log() * _PER_LOG).floor() + 1.0
    return nw.when(value > 0).then(number).otherwise(value * 0.0).cast(nw.Int32())


def aggregate(
    core: IntoFrameT, dimensions: Mapping[str, str], dataset: Dataset = OUT_QOE_HISTOGRAM_DAILY
) -> IntoFrameT:
    """Count core sessions into the rows of `OUT_QOE_HISTOGRAM_DAILY`, or `_HOURLY`, with the keys of `qoe.aggregate`.

    `core` is a frame of `CORE_SESSIONS` with the configured dimensions, of any engine that Narwhals knows; the result
    is a frame of the same engine, eager if `core` is. A session without a value is in no bucket.
    """
    return sums_by_slice(core, dataset, dimensions, _with_buckets, {"n": nw.len()})


def _with_buckets(sessions: Frame) -> Frame:
    measured = [
        sessions.filter(~nw.col(name).is_null()).with_columns(metric=nw.lit(name), bucket=bucket(nw.col(name)))
        for name in HISTOGRAM_METRICS
    ]
    return nw.concat(measured, how="vertical")


def quantiles(
    hist: pl.DataFrame | pl.LazyFrame,
    metric: str = "startup_ms",
    qs: Sequence[float] = QUANTILES,
    by: Sequence[str] = (),
) -> pl.DataFrame:
    """Return quantiles of each group: columns as of `qoe.summarize`, with metric `startup_ms_p50` and so on.

    `hist` are rows of `OUT_QOE_HISTOGRAM_DAILY`, of one dimension, as for `qoe.summarize`. The value estimates the
    exact nearest rank, ceil(q n), and lies within 1 % of it; within a bucket it is interpolated log-linearly. `low` and
    `high` are a 95 % interval of independent sessions by order statistics: the values at ranks n q +- 1.96 sqrt(n q
    (1 - q)). All three are null below `registry.MIN_N` sessions, and below `MIN_TAIL` expected on either side. Raises
    ValueError for q outside (0, 1), and where rows of several dimensions cannot be told apart.
    """
    if not all(0 < q < 1 for q in qs):
        raise ValueError(f"quantiles lie between 0 and 1, not {list(qs)}")
    rows, groups = choose_rows(hist.lazy().filter(pl.col("metric") == metric), by)
    return estimate(rows, groups, metric, qs)


def estimate(
    counts: pl.DataFrame | pl.LazyFrame, by: Sequence[str], metric: str, qs: Sequence[float] = QUANTILES
) -> pl.DataFrame:
    """Return the quantiles of each group, as `quantiles` does, from rows that hold no session twice in a group.

    `counts` has the columns `by`, bucket and n, of this metric alone.
    """
    groups = list(by)
    counts = _cumulated(counts, groups)
    parts = []
    for order, q in enumerate(qs):
        low, high = _interval_ranks(q)
        ranks = {"value": (pl.col("total") * (q * (1 - 1e-12))).ceil() - 0.5, "low": low, "high": high}
        at = [_value_at(rank).alias(name) for name, rank in ranks.items()]
        n = pl.col("total").first().alias("n")
        # Three buckets of hundreds are looked at: the others need not be grouped.
        hit = counts.filter(pl.any_horizontal(_holds(rank) for rank in ranks.values()))
        found = hit.group_by(groups).agg(*at, n) if groups else hit.select(*at, n.fill_null(0))
        enough = (pl.col("n") >= MIN_N["quantile"]) & (pl.col("n") * min(q, 1 - q) >= MIN_TAIL)
        name = pl.lit(f"{metric}_p{100 * q:g}").alias("metric")
        shown = [pl.when(enough).then(column).alias(column) for column in ranks]
        parts.append(found.select(*groups, name, *shown, "n", _order=pl.lit(order)))
    if not parts:
        raise ValueError("no quantile was asked for")
    return pl.concat(parts).sort(*groups, "_order").drop("_order")


def _counts(counts: pl.DataFrame | pl.LazyFrame, groups: list[str], key: pl.Expr) -> pl.DataFrame:
    """Return `n` by the groups and `key`."""
    return counts.lazy().group_by(*groups, key.alias("key")).agg(pl.col("n").sum()).collect()


def _cumulated(counts: pl.DataFrame | pl.LazyFrame, groups: list[str]) -> pl.DataFrame:
    held = _counts(counts, groups, pl.col("bucket"))
    ordered = pl.col("n").sort_by("key")
    columns = [pl.col("key").sort(), ordered, ordered.cum_sum().alias("through"), pl.col("n").sum().alias("total")]
    if not groups:
        return held.select(columns)
    return held.group_by(groups).agg(columns).explode("key", "n", "through")


def _interval_ranks(q: float) -> tuple[pl.Expr, pl.Expr]:
    middle = pl.col("total") * q
    half = Z * (middle * (1 - q)).sqrt()
    return (middle - half).clip(lower_bound=0.5), pl.min_horizontal(middle + half, pl.col("total") - 0.5)


def _value_at(rank: pl.Expr) -> pl.Expr:
    """Return the value at a rank between 0 and the total, of the one bucket that holds it."""
    position = pl.col("key") - 1 + (rank - _before()) / pl.col("n")
    value = pl.when(pl.col("key") > 0).then(GAMMA**position).otherwise(0.0)
    return value.filter(_holds(rank)).first()


def _holds(rank: pl.Expr) -> pl.Expr:
    return (_before() < rank) & (rank <= pl.col("through"))


def _before() -> pl.Expr:
    return pl.col("through") - pl.col("n")


def distribution(
    hist: pl.DataFrame | pl.LazyFrame, metric: str = "startup_ms", by: Sequence[str] = (), merge: int = 1
) -> pl.DataFrame:
    """Return what a figure draws, bars of each group: columns `by`, low_ms, high_ms, n; sorted, empty bars left out.

    `hist` are rows as for `quantiles`. `merge` adjacent buckets become one bar: 10 give bars 10.5 % wide. The values
    that are exactly 0 are the bar from 0 to 1.
    """
    rows, groups = choose_rows(hist.lazy().filter(pl.col("metric") == metric), by)
    counts = _counts(rows, groups, (pl.col("bucket") - 1).floordiv(merge)).sort(*groups, "key")
    bar, base = pl.col("key"), GAMMA**merge
    return counts.select(
        *groups,
        pl.when(bar < 0).then(0.0).otherwise(base**bar).alias("low_ms"),
        pl.when(bar < 0).then(1.0).otherwise(base ** (bar + 1)).alias("high_ms"),
        "n",
    )
