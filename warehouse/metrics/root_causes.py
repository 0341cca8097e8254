"""What explains an incident: which dimension values its excess came from.

From core sessions of the incident's time and of the days before it; when there is an incident is decided in
`incidents`, which of several tell of the same in `incident_groups`.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from warehouse.metrics import intervals
from warehouse.metrics.incident_terms import CONTENT_COLUMNS, with_terms

REFERENCE_DAYS = 7
"""Days before an incident that tell what is usual of each value, at the same hours of the day."""
MOST = 5
MIN_N = 20
"""Values with fewer sessions in the incident are not looked at."""
_PRIOR_SESSIONS = 200.0
"""Sessions' worth of trust that a value is as all are, before its own past says otherwise."""
SURE = 0.05
"""Above this p-value a cause may be chance."""
_STILL = 2.0
_SHORT = timedelta(hours=20)
CAUSES = pl.Schema(
    {
        "dimension": pl.String(),
        "value": pl.String(),
        "n": pl.Int64(),
        "sessions_share": pl.Float64(),
        "share": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "score": pl.Float64(),
        "p_value": pl.Float64(),
    }
)
"""`share` of the excess with its 95 % interval, beside the value's share of the sessions; it may exceed 1 where others
did better than usual. `p_value` is that of the difference from all other values, corrected for the values compared."""


def rank(
    core: pl.DataFrame | pl.LazyFrame,
    incident: Mapping[str, Any],
    dimensions: Sequence[str],
    until: datetime,
) -> pl.DataFrame:
    """Return the values that most distinctly explain an incident's excess: `CAUSES`, at most `MOST`, surest first.

    `core` holds sessions of the tenant in the incident and in the `REFERENCE_DAYS` before it; `incident` is a row of
    `incidents.SCHEMA`; `until` ends it while it lasts. The excess of a value is what its sessions have beyond its own
    usual ratio (of the reference, drawn to that of all by 200 sessions). Values are ranked by how far their relative
    rise exceeds that of all others together, in standard deviations; viewers are what is independent. Those that rose
    no more than the others, or only by sharing sessions with the first, are left out.
    """
    first, last = incident["started_at"], incident["ended_at"] or until
    own = with_terms(core.lazy().filter(pl.col("tenant") == incident["tenant"]), incident["metric"])
    during = own.filter(pl.col("started_at").is_between(first, last, closed="left"))
    before = own.filter(pl.col("started_at").is_between(first - timedelta(days=REFERENCE_DAYS), first, closed="left"))
    if last - first < _SHORT:
        hours = {(first + timedelta(hours=step)).hour for step in range(math.ceil((last - first) / timedelta(hours=1)))}
        before = before.filter(pl.col("started_at").dt.hour().is_in(hours))
    now, past = during.collect(), before.collect()
    named = (*dimensions, *CONTENT_COLUMNS)
    found = _ranked(now, past, named)
    if found.height and found.item(0, "p_value") < SURE:
        found = _beside(found, now, past, named)
    return found.select(pl.col(name).cast(dtype) for name, dtype in CAUSES.items()).head(MOST)


def _ranked(now: pl.DataFrame, past: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
    parts = [_changes(now, past, name) for name in dimensions]
    compared = pl.concat([pl.DataFrame(schema=_CHANGES), *(part for part in parts if part is not None)])
    scores = compared.with_columns(p_value=(pl.col("p_value") * compared.height).clip(upper_bound=1.0))
    worse = scores.filter((pl.col("score") > 0) & (pl.col("share") > 0))
    return worse.sort("score", descending=True, maintain_order=True)


def _beside(found: pl.DataFrame, now: pl.DataFrame, past: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
    """Leave out the values that rose only by sharing sessions with the first: a country that a bad CDN serves.

    What has hardly a session of its own (a player that came with the bad release) stays beside it.
    """
    dimension, value = found.item(0, "dimension"), found.item(0, "value")
    others = [rows.filter(pl.col(dimension).ne_missing(pl.lit(value))) for rows in (now, past)]
    parts = [_changes(others[0], others[1], name) for name in dimensions]
    alone = pl.concat([pl.DataFrame(schema=_CHANGES), *(part for part in parts if part is not None)])
    fallen = alone.filter(pl.col("score") < _STILL)
    return found.join(fallen, on=["dimension", "value"], how="anti", maintain_order="left")


_CHANGES = {"dimension": pl.String(), "value": pl.String(), "n": pl.Int64(), "sessions_share": pl.Float64()} | {
    name: pl.Float64() for name in ("share", "low", "high", "score", "p_value")
}


def _changes(now: pl.DataFrame, past: pl.DataFrame, dimension: str) -> pl.DataFrame | None:
    """Set every value of a dimension against all others of it; None where there are none to compare."""
    here, usual = _by_value(now, dimension), _by_value(past, dimension)
    if here.height < 2:
        return None
    level, each = _level(usual)
    if level is None:
        return None
    weight = _PRIOR_SESSIONS * each
    ratio = (pl.col("num_before").fill_null(0) + weight * level) / (pl.col("den_before").fill_null(0) + weight)
    before = usual.select("value", num_before="num", den_before="den", n_before="n")
    joined = here.join(before, on="value", how="left", nulls_equal=True).with_columns(usual=ratio)
    expected = pl.col("usual") * pl.col("den")
    spread = pl.col("num_sq") - 2 * pl.col("ratio") * pl.col("num_den") + pl.col("ratio") ** 2 * pl.col("den_sq")
    doubt = spread * (1 + pl.col("n") / (pl.col("n_before").fill_null(0) + _PRIOR_SESSIONS))
    sides = joined.with_columns(ratio=pl.col("num") / pl.col("den"), expected=expected).with_columns(
        excess=pl.col("num") - pl.col("expected"), variance=doubt.clip(lower_bound=0.0)
    )
    rest = {f"rest_{name}": pl.col(name).sum() - pl.col(name) for name in ("excess", "expected", "variance", "n")}
    total, a, b = pl.col("excess") + pl.col("rest_excess"), pl.col("excess"), pl.col("rest_excess")
    share_sd = (b**2 * pl.col("variance") + a**2 * pl.col("rest_variance")).sqrt() / total**2
    rise_sd = (
        pl.col("variance") / pl.col("expected") ** 2 + pl.col("rest_variance") / pl.col("rest_expected") ** 2
    ).sqrt()
    compared = sides.with_columns(**rest).filter(
        (pl.col("n") >= MIN_N) & (pl.col("rest_n") >= MIN_N) & (total > 0) & pl.col("value").is_not_null()
    )
    return (
        compared.with_columns(
            dimension=pl.lit(dimension),
            sessions_share=pl.col("n") / (pl.col("n") + pl.col("rest_n")),
            share=a / total,
            low=a / total - intervals.Z * share_sd,
            high=a / total + intervals.Z * share_sd,
            score=(a / pl.col("expected") - b / pl.col("rest_expected")) / rise_sd,
        )
        .with_columns(p_value=pl.col("score").map_elements(_two_sided, return_dtype=pl.Float64))
        .select(pl.col(name).cast(dtype) for name, dtype in _CHANGES.items())
    )


def _by_value(rows: pl.DataFrame, dimension: str) -> pl.DataFrame:
    """Sum viewers' sums, so that what is squared is a viewer."""
    viewer = pl.coalesce("user_id", "device_id", "session_id").alias("viewer")
    viewers = rows.group_by(pl.col(dimension).alias("value"), viewer).agg(
        n=pl.len(), num=pl.col("num").sum(), den=pl.col("den").sum()
    )
    num, den = pl.col("num"), pl.col("den")
    sums = viewers.group_by("value").agg(
        n=pl.col("n").sum().cast(pl.Int64),
        num_sq=num.dot(num),
        den_sq=den.dot(den),
        num_den=num.dot(den),
        num=num.sum(),
        den=den.sum(),
    )
    return sums.filter(pl.col("den") > 0).sort("value")


def _level(usual: pl.DataFrame) -> tuple[float | None, float]:
    num, den, n = (float(usual[name].sum()) for name in ("num", "den", "n"))
    return (num / den, den / n) if num > 0 and den > 0 else (None, 1.0)


def _two_sided(score: float) -> float:
    return math.erfc(abs(score) / math.sqrt(2))
