"""Each segment of a dimension against the rest: differences with intervals that know one viewer from another.

From core sessions, since the sums of `out` cannot tell whose sessions they hold. Which differences are worth telling is
decided by whoever shows them.
"""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from warehouse.metrics import intervals, qoe
from warehouse.metrics.experience import experience_score

COMPARED = ("rebuffer_pct_play", "startup_ms", "vsf_pct", "ebvs_pct", "vpf_pct", "experience_score")
MIN_CLUSTERS = 10
"""Below so many viewers on either side no difference is told. Counted by weight, (sum b)^2 / sum b^2 with b a viewer's
part of the denominator: where one of many viewers makes up half of it, they are worth four."""

MIN_EVENTS = 5
"""With fewer failures on either side no difference of failure rates is told: its interval would be too narrow."""

_RATES = frozenset({"vsf_pct", "ebvs_pct", "vpf_pct"})
_PERCENT = 100.0
SCHEMA = pl.Schema(
    {
        "dimension": pl.String(),
        "segment": pl.String(),
        "metric": pl.String(),
        "here": pl.Float64(),
        "rest": pl.Float64(),
        "difference": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "n": pl.Int64(),
        "rest_n": pl.Int64(),
        "clusters": pl.Int64(),
    }
)


def compare(
    core: pl.DataFrame | pl.LazyFrame, dimensions: Sequence[str], metrics: Sequence[str] = COMPARED
) -> pl.DataFrame:
    """Compare every value of every dimension with all other known values of it.

    `core` has the columns of CORE_SESSIONS and `dimensions`; `metrics` are some of `COMPARED`, in their own units
    (percent, ms, points). Gives one row a segment and metric, of `SCHEMA`: here, rest, difference = here - rest, its
    95 % interval, sessions on both sides, clusters of the segment. A cluster is a user, else a device, else a session,
    so that sessions of one viewer are not taken for independent. Segments with fewer than `qoe.MIN_N` sessions on
    either side, `MIN_CLUSTERS` clusters by weight or `MIN_EVENTS` failures are left out.

    Delta method on cluster sums: a cluster's part of the difference is e/D of the segment less e/D of the rest, where
    e = numerator - ratio x denominator of its sessions there, and D the sum of the side's denominators; the variance
    is the sum of squares of these parts, so that a viewer on both sides is counted once (Liang and Zeger 1986).
    """
    terms = _terms(core, dimensions, metrics)
    parts = [
        _against_rest(terms.filter(pl.col(name).is_not_null()), name, metric)
        for name in dimensions
        for metric in metrics
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def has_viewers(core: pl.DataFrame | pl.LazyFrame) -> bool:
    """Return whether any session names its user or device; without, sessions are taken for independent."""
    named = pl.col("user_id").is_not_null() | pl.col("device_id").is_not_null()
    return bool(core.lazy().select(named.any()).collect().item())


def _terms(core: pl.DataFrame | pl.LazyFrame, dimensions: Sequence[str], metrics: Sequence[str]) -> pl.DataFrame:
    cluster = pl.coalesce(
        "u:" + pl.col("user_id"),
        "d:" + pl.col("device_id"),
        pl.concat_str(pl.lit("s:"), "session_id", pl.col("identity_at").cast(pl.Int64()).fill_null(0), separator=":"),
    )
    named = core.lazy().with_columns(pl.concat_str("tenant", cluster, separator="/").alias("cluster"))
    known = _numerators_and_denominators()
    columns: dict[str, Any] = {}
    for metric in metrics:
        num, den = known[metric]
        columns |= {
            f"{metric}_num": nw.when(~den.is_null()).then(num),
            f"{metric}_den": nw.when(~num.is_null()).then(den),
        }
    frame = nw.from_native(named).with_columns(**columns).select("cluster", *dimensions, *columns)
    return frame.to_native().collect()


def _numerators_and_denominators() -> dict[str, tuple[nw.Expr, nw.Expr]]:
    outcome = nw.col("outcome")
    attempt = nw.when(~outcome.is_null()).then(nw.lit(1.0))
    ended = nw.when(outcome.is_in(["played", "playback_failure"])).then(nw.lit(1.0))

    def share(name: str) -> nw.Expr:
        return (outcome == name).cast(nw.Float64()) * _PERCENT

    def mean(value: nw.Expr) -> tuple[nw.Expr, nw.Expr]:
        return value, nw.when(~value.is_null()).then(nw.lit(1.0))

    num, den = qoe.ratio_terms()["rebuffer_pct_play"]
    return {
        "rebuffer_pct_play": (num * _PERCENT, den),
        "startup_ms": mean(nw.col("startup_ms")),
        "vsf_pct": (share("video_start_failure"), attempt),
        "ebvs_pct": (share("exit_before_video_start"), attempt),
        "vpf_pct": (share("playback_failure"), ended),
        "experience_score": mean(experience_score()),
    }


def _against_rest(terms: pl.DataFrame, dimension: str, metric: str) -> pl.DataFrame:
    """`a` and `b` are a cluster's sums of numerator and denominator within a segment, `A` and `B` in all segments."""
    num, den = pl.col(f"{metric}_num").cast(pl.Float64()), pl.col(f"{metric}_den").cast(pl.Float64())
    cells = (
        terms.group_by(pl.col(dimension).alias("segment"), "cluster")
        .agg(a=num.sum(), b=den.sum(), k=den.count())
        .filter(pl.col("k") > 0)
    )
    whole = cells.group_by("cluster").agg(A=pl.col("a").sum(), B=pl.col("b").sum())
    sides = _sides(cells, events_counted=metric in _RATES)
    half = intervals.critical(pl.col("effective")) * pl.col("variance").sqrt()
    difference = pl.col("here") - pl.col("rest")
    return (
        sides.join(_variances(cells, whole, sides), on="segment")
        .filter(pl.col("effective") >= MIN_CLUSTERS)
        .with_columns(pl.lit(dimension).alias("dimension"), pl.lit(metric).alias("metric"), difference=difference)
        .with_columns(low=difference - half, high=difference + half)
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


def _sides(cells: pl.DataFrame, *, events_counted: bool) -> pl.DataFrame:
    """Return the ratio on both sides of each segment that is large enough, with its denominators and counts."""
    sums = cells.group_by("segment").agg(
        num=pl.col("a").sum(), den=pl.col("b").sum(), n=pl.col("k").sum(), clusters=pl.len()
    )
    rest = {f"rest_{name}": pl.col(name).sum() - pl.col(name) for name in ("num", "den", "n")}
    sides = sums.with_columns(**rest, people=cells["cluster"].n_unique())
    enough = (pl.min_horizontal("n", "rest_n") >= qoe.MIN_N) & (pl.min_horizontal("den", "rest_den") > 0)
    if events_counted:
        enough &= pl.min_horizontal("num", "rest_num") >= _PERCENT * MIN_EVENTS
    ratios = {"here": pl.col("num") / pl.col("den"), "rest": pl.col("rest_num") / pl.col("rest_den")}
    return sides.filter(enough).with_columns(**ratios)


def _variances(cells: pl.DataFrame, whole: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """Return each segment's variance of the difference, and the smaller effective number of clusters of its sides.

    Squares of the clusters' parts are summed one by one within the segment; all others come from three sums.
    """
    inside = (pl.col("a") - pl.col("here") * pl.col("b")) / pl.col("den")
    beside = (pl.col("A") - pl.col("a") - pl.col("rest") * (pl.col("B") - pl.col("b"))) / pl.col("rest_den")
    outside = (pl.col("A") - pl.col("rest") * pl.col("B")) / pl.col("rest_den")
    parts = cells.join(sides, on="segment").join(whole, on="cluster").group_by("segment")
    own = parts.agg(
        own=((inside - beside) ** 2 - outside**2).sum(),
        squares=(pl.col("b") ** 2).sum(),
        rest_squares=((pl.col("B") - pl.col("b")) ** 2 - pl.col("B") ** 2).sum(),
    )
    aa, ab, bb = whole.select(aa=(pl.col("A") ** 2).sum(), ab=pl.col("A").dot("B"), bb=(pl.col("B") ** 2).sum()).row(0)
    rest = pl.col("rest")
    everyone = (aa - 2 * rest * ab + rest**2 * bb) / pl.col("rest_den") ** 2
    variance = (everyone + pl.col("own")).clip(lower_bound=0.0) * pl.col("people") / (pl.col("people") - 1)
    effective = pl.min_horizontal(
        pl.col("den") ** 2 / pl.col("squares"), pl.col("rest_den") ** 2 / (pl.col("rest_squares") + bb)
    )
    return sides.join(own, on="segment").select("segment", variance=variance, effective=effective)
