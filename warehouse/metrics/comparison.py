"""Two sets of sessions, or each segment of a dimension and the rest: differences that know one viewer from another.

What is compared is in `clusters`; stalls at equal watch time in `watch_time`, many comparisons at once in `multiple`.
Which differences are worth telling is decided by whoever shows them.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.metrics import intervals
from warehouse.metrics.clusters import COMPARED, assumption, terms
from warehouse.metrics.registry import METRICS

MIN_SESSIONS = 20
"""Below so many sessions on either side no difference is told."""

MIN_CLUSTERS = 10
"""Below so many viewers on either side no difference is told. Counted by weight, (sum b)^2 / sum b^2 with b a viewer's
part of the denominator: where one of many viewers makes up half of it, they are worth four."""

MIN_EVENTS = 5
"""With fewer failures on either side no difference of failure rates is told: its interval would be too narrow."""

POWER_Z = 0.8416212335729143
"""80 % point of the standard normal distribution: a difference as large as `detectable` is found so often."""

_NOISE = 1e-24
"""A variance below so much of the squared values is rounding: the sessions do not differ."""

_MEASURES = {
    "difference": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "p_value": pl.Float64(),
    "detectable": pl.Float64(),
    "standard_error": pl.Float64(),
    "effective": pl.Float64(),
}
_SIDE = {"": pl.Float64(), "_low": pl.Float64(), "_high": pl.Float64()}
SCHEMA = pl.Schema(
    {"dimension": pl.String(), "segment": pl.String(), "metric": pl.String()}
    | {f"{side}{end}": dtype for side in ("here", "rest") for end, dtype in _SIDE.items()}
    | _MEASURES
    | {name: pl.Int64() for name in ("n", "rest_n", "clusters", "rest_clusters")}
)
"""Of `against_rest`: both sides with their 95 % intervals, the difference here - rest with interval and two-sided
p-value, `detectable` the smallest true difference that would be found in 80 % of cases, sessions and clusters of both
sides; `effective` is the number of clusters by weight, of the smaller side."""


def compare(
    a: pl.DataFrame | pl.LazyFrame,
    b: pl.DataFrame | pl.LazyFrame,
    metrics: Sequence[str] = COMPARED,
    by: Sequence[str] = (),
) -> pl.DataFrame:
    """Compare two sets of core sessions, metric by metric, within each group of the columns `by`.

    One row a group and metric: by, metric, then as in `SCHEMA`, with a and b for here and rest (a, a_low, a_high, b,
    …, n_a, n_b, clusters_a, clusters_b), the difference a - b, and `assumption`: in words, what was taken for
    independent. A cluster is a user, else a device, else a session. `metrics` are some of `COMPARED`, in their own
    units. Left out are groups with fewer than `MIN_SESSIONS` sessions on either side, `MIN_CLUSTERS` clusters by
    weight, or `MIN_EVENTS` failures, and metrics in which the sessions do not differ.

    Delta method on cluster sums: a cluster's part of the difference is e/D of one side less e/D of the other, where
    e = numerator - ratio x denominator of its sessions there, and D the sum of the side's denominators; the variance
    is the sum of squares of these parts, so that a viewer on both sides is counted once (Liang and Zeger 1986).
    """
    sides = [side.lazy().with_columns(pl.lit(name).alias("_side")) for name, side in (("a", a), ("b", b))]
    both = pl.concat(sides, how="diagonal_relaxed")
    sessions = terms(both, metrics, ["_side", *by]).with_columns(pl.lit(0, pl.Int8()).alias("_all"))
    cells = _cells(sessions, ["_all", *by], "_side", metrics)
    parts = [_differences(cells, ["_all", *by], metric) for metric in metrics]
    found = pl.concat(parts).filter(pl.col("segment") == "a")
    renamed = {"n": "n_a", "rest_n": "n_b", "clusters": "clusters_a", "rest_clusters": "clusters_b"}
    renamed |= {f"{old}{end}": f"{new}{end}" for old, new in (("here", "a"), ("rest", "b")) for end in _SIDE}
    shown = found.rename(renamed).select(*by, "metric", *_names(renamed), pl.lit(assumption(both)).alias("assumption"))
    return shown.sort(*by, pl.col("metric").cast(pl.Enum(metrics)))


def against_rest(
    core: pl.DataFrame | pl.LazyFrame, dimensions: Sequence[str], metrics: Sequence[str] = COMPARED
) -> pl.DataFrame:
    """Compare every value of every dimension with all other known values of it, as `compare` does two sets.

    `core` has the columns of CORE_SESSIONS and `dimensions`. Gives one row a segment and metric, of `SCHEMA`.
    """
    # Numbers for clusters: they are grouped again and again.
    sessions = terms(core, metrics, dimensions).with_columns(
        pl.lit(0, pl.Int8()).alias("_all"), pl.col("cluster").cast(pl.Categorical()).to_physical()
    )
    parts = [pl.DataFrame(schema=SCHEMA)]
    for name in dimensions:
        cells = _cells(sessions.filter(pl.col(name).is_not_null()), ["_all"], name, metrics)
        parts += [
            _differences(cells, ["_all"], metric)
            .with_columns(dimension=pl.lit(name))
            .select(pl.col(column).cast(dtype) for column, dtype in SCHEMA.items())
            for metric in metrics
        ]
    return pl.concat(parts)


def with_inference(found: pl.DataFrame) -> pl.DataFrame:
    """Add low, high, p_value and detectable to [difference, standard_error, effective]."""
    error, freedom = pl.col("standard_error"), pl.col("effective") - 1
    half = intervals.critical(pl.col("effective")) * error
    return found.with_columns(
        low=pl.col("difference") - half,
        high=pl.col("difference") + half,
        p_value=intervals.p_value(pl.col("difference") / error, freedom),
        detectable=half + POWER_Z * error,
    )


def _names(renamed: dict[str, str]) -> list[str]:
    return [renamed.get(name, name) for name in SCHEMA if name not in {"dimension", "segment", "metric"}]


def _cells(sessions: pl.DataFrame, keys: list[str], segment: str, metrics: Sequence[str]) -> pl.DataFrame:
    """Return the sums of every metric's terms, and how many sessions have them, by cluster and segment."""
    sums = [pl.col(f"{metric}_{term}").sum() for metric in metrics for term in ("num", "den")]
    counts = [pl.col(f"{metric}_den").count().alias(f"{metric}_n") for metric in metrics]
    return sessions.group_by(*keys, pl.col(segment).alias("segment"), "cluster").agg(*sums, *counts)


def _differences(all_cells: pl.DataFrame, keys: list[str], metric: str) -> pl.DataFrame:
    """Compare each segment with the rest of its group of `keys`.

    `a` and `b` are a cluster's sums of numerator and denominator within a segment, `A` and `B` in all segments.
    """
    terms_of = {name: pl.col(f"{metric}_{term}") for name, term in (("a", "num"), ("b", "den"), ("k", "n"))}
    cells = all_cells.select(*keys, "segment", "cluster", **terms_of).filter(pl.col("k") > 0)
    whole = cells.group_by(*keys, "cluster").agg(A=pl.col("a").sum(), B=pl.col("b").sum(), K=pl.col("k").sum())
    sides = _sides(cells, whole, keys, events_counted=METRICS[metric].kind == "proportion")
    found = _variances(cells, whole, sides, keys).filter(
        (pl.min_horizontal("here_effective", "rest_effective") >= MIN_CLUSTERS)
        & (pl.col("variance") > _NOISE * (pl.col("here") ** 2 + pl.col("rest") ** 2))
    )
    bounds = {
        f"{side}_{end}": (pl.col(side) + sign * intervals.critical(pl.col(f"{side}_effective")) * spread).clip(
            0.0, METRICS[metric].most
        )
        for side in ("here", "rest")
        for spread in (pl.col(f"{side}_variance").sqrt(),)
        for end, sign in (("low", -1), ("high", 1))
    }
    return with_inference(
        found.with_columns(
            pl.lit(metric).alias("metric"),
            difference=pl.col("here") - pl.col("rest"),
            standard_error=pl.col("variance").sqrt(),
            effective=pl.min_horizontal("here_effective", "rest_effective"),
            **bounds,
        )
    ).select(*keys, "metric", *[name for name in SCHEMA if name not in {"dimension", "metric"}])


def _sides(cells: pl.DataFrame, whole: pl.DataFrame, keys: list[str], *, events_counted: bool) -> pl.DataFrame:
    """Return the ratio on both sides of each segment that is large enough, with its denominators and counts."""
    sums = cells.group_by(*keys, "segment").agg(num=pl.col("a").sum(), den=pl.col("b").sum(), n=pl.col("k").sum())
    rest = {f"rest_{name}": pl.col(name).sum().over(keys) - pl.col(name) for name in ("num", "den", "n")}
    everyone = whole.group_by(keys).agg(
        people=pl.len(),
        aa=(pl.col("A") ** 2).sum(),
        ab=(pl.col("A") * pl.col("B")).sum(),
        bb=(pl.col("B") ** 2).sum(),
    )
    sides = sums.with_columns(**rest).join(everyone, on=keys, nulls_equal=True)
    enough = (pl.min_horizontal("n", "rest_n") >= MIN_SESSIONS) & (pl.min_horizontal("den", "rest_den") > 0)
    if events_counted:
        enough &= pl.min_horizontal("num", "rest_num") >= 100.0 * MIN_EVENTS
    ratios = {"here": pl.col("num") / pl.col("den"), "rest": pl.col("rest_num") / pl.col("rest_den")}
    return sides.filter(enough).with_columns(**ratios)


def _variances(cells: pl.DataFrame, whole: pl.DataFrame, sides: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Add the variance of the difference and of both sides, and both sides' clusters, counted and by weight.

    Squares of the clusters' parts are summed one by one within the segment; all others come from three sums.
    """
    inside = (pl.col("a") - pl.col("here") * pl.col("b")) / pl.col("den")
    beside = (pl.col("A") - pl.col("a") - pl.col("rest") * (pl.col("B") - pl.col("b"))) / pl.col("rest_den")
    outside = (pl.col("A") - pl.col("rest") * pl.col("B")) / pl.col("rest_den")
    within = [*keys, "segment"]
    parts = cells.join(sides, on=within, nulls_equal=True).join(whole, on=[*keys, "cluster"], nulls_equal=True)
    own = parts.group_by(within).agg(
        here_squares=(inside**2).sum(),
        rest_squares=(beside**2 - outside**2).sum(),
        squares=((inside - beside) ** 2 - outside**2).sum(),
        here_weights=(pl.col("b") ** 2).sum(),
        rest_weights=((pl.col("B") - pl.col("b")) ** 2 - pl.col("B") ** 2).sum(),
        clusters=pl.len(),
        only_here=(pl.col("K") == pl.col("k")).sum(),
    )
    rest, people = pl.col("rest"), pl.col("people")
    everyone = (pl.col("aa") - 2 * rest * pl.col("ab") + rest**2 * pl.col("bb")) / pl.col("rest_den") ** 2
    rest_clusters = people - pl.col("only_here")
    return sides.join(own, on=within, nulls_equal=True).with_columns(
        rest_clusters=rest_clusters,
        variance=_corrected(everyone + pl.col("squares"), people),
        here_variance=_corrected(pl.col("here_squares"), pl.col("clusters")),
        rest_variance=_corrected(everyone + pl.col("rest_squares"), rest_clusters),
        here_effective=pl.col("den") ** 2 / pl.col("here_weights"),
        rest_effective=pl.col("rest_den") ** 2 / (pl.col("rest_weights") + pl.col("bb")),
    )


def _corrected(squares: pl.Expr, clusters: pl.Expr) -> pl.Expr:
    return squares.clip(lower_bound=0.0) * clusters / (clusters - 1)
