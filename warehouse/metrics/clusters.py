"""Whose session it is, and what a session adds to a metric: what comparisons are summed from.

From core sessions, since the sums of `out` cannot tell whose sessions they hold. The comparisons themselves are in
`comparison` and `watch_time`.
"""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from warehouse.metrics import qoe
from warehouse.metrics.experience import experience_score

COMPARED = ("rebuffer_pct_play", "startup_ms", "vsf_pct", "ebvs_pct", "vpf_pct", "experience_score")
"""Metrics that can be compared: ratios of sums, means and proportions over sessions."""

TOGETHER = "takes the sessions of one viewer together"
INDEPENDENT = "assumes independent sessions"
"""What a comparison says of itself where no session names its user or device."""

_PERCENT = 100.0


def has_viewers(core: pl.DataFrame | pl.LazyFrame) -> bool:
    """Return whether any session names its user or device; without, sessions are taken for independent."""
    named = pl.col("user_id").is_not_null() | pl.col("device_id").is_not_null()
    return bool(core.lazy().select(named.any()).collect().item())


def assumption(core: pl.DataFrame | pl.LazyFrame) -> str:
    """Return what a comparison of these sessions takes for independent, in words."""
    return TOGETHER if has_viewers(core) else INDEPENDENT


def cluster() -> pl.Expr:
    """Return whose session it is, as `cluster`: the user's, else the device's, else nobody's but its own."""
    alone = pl.concat_str(
        pl.lit("s:"), "session_id", pl.col("identity_at").cast(pl.Int64()).fill_null(0), separator=":"
    )
    whose = pl.coalesce("u:" + pl.col("user_id"), "d:" + pl.col("device_id"), alone)
    return pl.concat_str("tenant", whose, separator="/").alias("cluster")


def terms(core: pl.DataFrame | pl.LazyFrame, metrics: Sequence[str], keep: Sequence[str]) -> pl.DataFrame:
    """Return `cluster`, the columns `keep`, and `<metric>_num` and `<metric>_den` of every session.

    A metric is the sum of its numerators over the sum of its denominators, in its own unit (percent, ms, points); both
    are null where either is unknown. Raises ValueError for metrics that are not in `COMPARED`.
    """
    unknown = set(metrics) - set(COMPARED)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: only {', '.join(COMPARED)} can be compared")
    known = _numerators_and_denominators()
    columns: dict[str, Any] = {}
    for metric in metrics:
        num, den = known[metric]
        columns |= {
            f"{metric}_num": nw.when(~den.is_null()).then(num).cast(nw.Float64()),
            f"{metric}_den": nw.when(~num.is_null()).then(den).cast(nw.Float64()),
        }
    frame = nw.from_native(core.lazy().with_columns(cluster()))
    return frame.with_columns(**columns).select("cluster", *keep, *columns).to_native().collect()


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
