"""QoE metrics with their intervals, read from rows of `OUT_QOE_DAILY`: ratios, means and rates, for any grouping.

What is summed into those rows is in `qoe`; quantiles of startup are read in `histogram`.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.datasets import CONTENT_DIMENSION, OUT_QOE_DAILY, RATIOS, SCALE, Ratio
from warehouse.metrics import intervals

MIN_N = 20
"""Below so many sessions a metric has no value: too few."""

RATES = {
    "vsf_pct": (("video_start_failure_n",), ("outcome_n",)),
    "ebvs_pct": (("exit_before_video_start_n",), ("outcome_n",)),
    "vpf_pct": (("playback_failure_n",), ("playback_failure_n", "played_n")),
}
"""Failure rates: of attempts, of attempts, of ended plays (Conviva's split). Attempts are sessions of known outcome."""

_MEAN_SCALE = {
    "startup_ms": SCALE["ms"],
    "rebuffer_ratio_media3": 1.0,
    "seeks_per_session": 1.0,
    "experience_score": 1.0,
}

CEILINGS = {
    "rebuffer_pct_play": 100.0,
    "rebuffer_pct_cta": 100.0,
    "wait_pct": 100.0,
    "rebuffer_ratio_media3": 1.0,
    "experience_score": 100.0,
}
"""Greatest possible values, which no interval exceeds; none goes below 0."""

METRICS = (
    "rebuffer_pct_play",
    "rebuffer_pct_cta",
    "rebuffer_ratio_media3",
    "rebuffers_per_hour",
    "startup_ms",
    "vsf_pct",
    "ebvs_pct",
    "vpf_pct",
    "wait_pct",
    "bitrate_bps",
    "dropped_frames_per_min",
    "seeks_per_session",
    "mean_seek_ms",
    "experience_score",
)
"""Every metric of a summary, in its order; `startup_ms` and those that are no ratio of sums are means over sessions."""


def summarize(out: pl.DataFrame | pl.LazyFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Return every metric of each group: columns `by` (`value` as `dimension_value`), metric, value, low, high, n.

    `out` are rows of `OUT_QOE_DAILY`, of one dimension: where there are several and `by` does not name `dimension`,
    the content rows are taken, since they hold every session once. Raises ValueError where that is impossible: no
    content rows among several dimensions, or `by` names `value`.

    Units are those of the metric's name. `n` counts the sessions that entered; below `MIN_N` of them value, low and
    high are null, as where the denominator is 0. `low` and `high` are the 95 % interval of independent sessions, null
    where the sessions do not differ and so say nothing of it. Groups are sorted, metrics in the order of `METRICS`.
    """
    sums = [name for name in OUT_QOE_DAILY.columns if name not in OUT_QOE_DAILY.key]
    rows, groups = choose_rows(out, by)
    total = rows.group_by(groups).agg(pl.col(sums).sum()) if groups else rows.select(pl.col(sums).sum())
    parts = [total.select(*groups, *_metric(name)) for name in METRICS]
    order = pl.col("metric").cast(pl.Enum(METRICS))
    return pl.concat(parts).sort(*groups, order)


def choose_rows(out: pl.DataFrame | pl.LazyFrame, by: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """Return rows of `out` that hold no session twice in a group of `by`, and the names of the groups' columns.

    These are `by`, but for `value`: it becomes `dimension_value`, since a metric has a value too. Raises ValueError
    where rows of several dimensions cannot be told apart.
    """
    rows = out.lazy().rename({"value": "dimension_value"}).collect()
    groups = ["dimension_value" if name == "value" else name for name in by]
    found = rows["dimension"].unique().sort().to_list()
    if "dimension" in by or len(found) <= 1:
        return rows, groups
    if "value" in by or CONTENT_DIMENSION not in found:
        raise ValueError(f"rows of several dimensions ({', '.join(found)}): filter one, or group by dimension")
    return rows.filter(pl.col("dimension") == CONTENT_DIMENSION), groups


def _metric(name: str) -> list[pl.Expr]:
    if name in RATES:
        n, value, low, high = _rate(name)
    else:
        ratio = next((ratio for ratio in RATIOS if ratio.name == name), None)
        n, value, half = _mean(name) if ratio is None else _ratio(ratio)
        low, high = (value - half).clip(lower_bound=0.0), (value + half).clip(upper_bound=CEILINGS.get(name))
    enough = n >= MIN_N
    return [
        pl.lit(name).alias("metric"),
        pl.when(enough).then(value).alias("value"),
        pl.when(enough).then(low).alias("low"),
        pl.when(enough).then(high).alias("high"),
        n.alias("n"),
    ]


def _rate(name: str) -> tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]:
    hits, trials = (pl.sum_horizontal(columns) for columns in RATES[name])
    value, low, high = intervals.proportion(trials, hits)
    return trials, 100 * value, 100 * low, 100 * high


def _mean(name: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    n, scale = pl.col(f"{name}_n"), _MEAN_SCALE[name]
    value, half = intervals.mean(n, pl.col(f"{name}_sum") * scale, pl.col(f"{name}_sq_sum"))
    return n, value / scale, half / scale


def _ratio(ratio: Ratio) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    num_scale, den_scale = SCALE[ratio.num_unit], SCALE[ratio.den_unit]
    n = pl.col(f"{ratio.name}_n")
    value, half = intervals.ratio(
        n,
        pl.col(f"{ratio.name}_num_sum") * num_scale,
        pl.col(f"{ratio.name}_den_sum") * den_scale,
        *(pl.col(f"{ratio.name}_{moment}_sum") for moment in ("num_sq", "den_sq", "num_den")),
    )
    factor = ratio.factor * den_scale / num_scale
    return n, value * factor, half * factor
