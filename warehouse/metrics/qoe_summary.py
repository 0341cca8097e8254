"""QoE metrics with their intervals, read from rows of `OUT_QOE_DAILY`: ratios, means and rates, for any grouping.

What is summed into those rows is in `qoe`, what each metric means in `registry`; quantiles of startup are read in
`histogram`.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.datasets import CONTENT_DIMENSION, OUT_QOE_DAILY, SCALE
from warehouse.metrics import intervals
from warehouse.metrics.registry import METRICS, MIN_N, SUMMED, Metric


def summarize(out: pl.DataFrame | pl.LazyFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """Return every metric of each group: columns `by` (`value` as `dimension_value`), metric, value, low, high, n.

    `out` are rows of `OUT_QOE_DAILY`, of one dimension: where there are several and `by` does not name `dimension`,
    the content rows are taken, since they hold every session once. Raises ValueError where that is impossible: no
    content rows among several dimensions, or `by` names `value`.

    Metrics are `registry.SUMMED`, in that order, groups sorted. `n` counts the sessions that entered; below `MIN_N` of
    them value, low and high are null, as where the denominator is 0. `low` and `high` are the 95 % interval of
    independent sessions, null where the sessions do not differ and so say nothing of it.
    """
    rows, groups = choose_rows(out, by)
    return estimate(rows, groups, SUMMED)


def estimate(sums: pl.DataFrame | pl.LazyFrame, by: Sequence[str], metrics: Sequence[str]) -> pl.DataFrame:
    """Return the metrics of each group, as `summarize` does, from rows that hold no session twice in a group.

    `sums` has the columns `by` and the sums of OUT_QOE_DAILY; `metrics` are some of `registry.SUMMED`, and come in
    their order here.
    """
    needed = list(dict.fromkeys(column for name in metrics for column in _columns(METRICS[name])))
    added = [pl.col(column).sum() for column in needed]
    lazy = sums.lazy()
    total = (lazy.group_by(by).agg(added) if by else lazy.select(added)).collect()
    parts = [total.select(*by, *_metric(METRICS[name])) for name in metrics]
    return pl.concat(parts).sort(*by, pl.col("metric").cast(pl.Enum(metrics)))


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


def _columns(metric: Metric) -> list[str]:
    if metric.kind == "proportion":
        return [*metric.hits, *metric.trials]
    return [column for column in OUT_QOE_DAILY.columns if column.startswith(f"{metric.name}_")]


def _metric(metric: Metric) -> list[pl.Expr]:
    n, value, low, high = {"proportion": _proportion, "mean": _mean, "ratio": _ratio}[metric.kind](metric)
    enough = n >= MIN_N[metric.kind]
    return [
        pl.lit(metric.name).alias("metric"),
        pl.when(enough).then(value).alias("value"),
        pl.when(enough).then(low).alias("low"),
        pl.when(enough).then(high.clip(upper_bound=metric.most)).alias("high"),
        n.alias("n"),
    ]


def _proportion(metric: Metric) -> tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]:
    hits, trials = pl.sum_horizontal(metric.hits), pl.sum_horizontal(metric.trials)
    value, low, high = intervals.proportion(trials, hits)
    return trials, 100 * value, 100 * low, 100 * high


def _mean(metric: Metric) -> tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]:
    name, scale = metric.name, metric.scale
    n = pl.col(f"{name}_n")
    value, half = intervals.mean(n, pl.col(f"{name}_sum") * scale, pl.col(f"{name}_sq_sum"))
    # What is better lower is skewed to the right; scores crowd at their upper end, and would lean the wrong way.
    bounds = intervals.on_log_scale if metric.better == "lower" else intervals.around
    low, high = bounds(value / scale, half / scale)
    return n, value / scale, low, high


def _ratio(metric: Metric) -> tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]:
    terms = metric.terms
    num_scale, den_scale = SCALE[terms.num_unit], SCALE[terms.den_unit]
    n = pl.col(f"{terms.name}_n")
    value, half = intervals.ratio(
        n,
        pl.col(f"{terms.name}_num_sum") * num_scale,
        pl.col(f"{terms.name}_den_sum") * den_scale,
        *(pl.col(f"{terms.name}_{moment}_sum") for moment in ("num_sq", "den_sq", "num_den")),
    )
    factor = terms.factor * den_scale / num_scale
    low, high = intervals.on_log_scale(value * factor, half * factor)
    return n, value * factor, low, high
