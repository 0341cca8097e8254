"""Everything that the QoE page shows of one tenant or of all, computed with `warehouse.metrics` from the stored sums.

How it is drawn and worded is in `dashboards.qoe_page`; where it is written, in `dashboards.publish`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl

from dashboards.heaviest import heaviest
from dashboards.standouts import compared, standouts
from dashboards.worst import worst_sessions
from warehouse.datasets import CONTENT_DIMENSION, CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, OUTCOMES
from warehouse.metrics import histogram, intervals, qoe
from warehouse.metrics.clusters import assumption
from warehouse.metrics.odd_days import odd_days

_HOUR_MS = 3_600_000
_MERGED = 16
"""Buckets of the stored histogram in one bar: each bar ends 17 % above its begin."""

ALL_TENANTS = "All tenants"
HEADLINE = (
    "startup_ms_p50",
    "startup_ms_p95",
    "rebuffer_pct_play",
    "rebuffer_pct_cta",
    "rebuffers_per_hour",
    "vsf_pct",
    "ebvs_pct",
    "vpf_pct",
    "experience_score",
    "bitrate_bps",
)
"""The metrics at the top of the page."""


@dataclass(frozen=True)
class QoeReport:
    """The frames and facts of one QoE page. Frames named after what they hold; estimates have value, low, high, n."""

    tenant: str | None
    """None for the operator's page, over all tenants."""
    title: str
    first_day: date | None
    last_day: date | None
    built_at: datetime
    definition_version: str
    sessions: int
    play_hours: float
    play_hours_n: int
    rows: Mapping[str, int]
    """Rows counted, by table."""
    quarantined: Mapping[str, int]
    """Landed sessions that core could not take, by the rule that failed."""
    summary: pl.DataFrame
    """[metric, value, low, high, n] of the whole period, startup quantiles included."""
    daily: pl.DataFrame
    """[day, metric, value, low, high, n], the same metrics."""
    marked: pl.DataFrame
    """[metric, day]: days that stand apart."""
    startup_bins: pl.DataFrame
    """[low_ms, high_ms, n, share_low, share_high], evenly wide on a log scale, empty bars left out; shares in %."""
    contents: pl.DataFrame
    """[content_id, metric, value, low, high, n]."""
    stream_types: pl.DataFrame
    """[stream_type, metric, value, low, high, n]."""
    dimensions: pl.DataFrame
    """[dimension, segment, metric, value, low, high, n] of each configured dimension; a null segment was not sent."""
    standouts: pl.DataFrame
    """As `dashboards.standouts.standouts` gives it."""
    assumption: str
    """What comparisons take for independent, in words: viewers, or sessions where none names its viewer."""
    segments: int
    """Segments that were compared."""
    outcomes: pl.DataFrame
    """[day, outcome, n, low, high, of]; low and high bound the share in percent."""
    worst: pl.DataFrame
    """As `dashboards.worst.worst_sessions` gives it."""
    heaviest: pl.DataFrame
    """As `dashboards.heaviest.heaviest` gives it, of the headline's metrics."""
    incidents: Sequence[Mapping[str, Any]]
    """Rows of the table `incidents`, open ones first."""


def build(
    out: pl.DataFrame,
    hist: pl.DataFrame,
    core: pl.DataFrame | pl.LazyFrame,
    *,
    tenant: str | None,
    built_at: datetime,
    definition_version: str,
    title: str | None = None,
    dimensions: tuple[str, ...] = (),
    period: tuple[date, date] | None = None,
    incidents: Sequence[Mapping[str, Any]] = (),
    quarantine: pl.LazyFrame | None = None,
) -> QoeReport:
    """Compute the report of `tenant`, or of all, from OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY and CORE_SESSIONS.

    Rows of other tenants are ignored. `dimensions` names the configured columns of core; `period` defaults to the
    days that have sessions; `incidents` are stored rows, of this tenant or of all; `quarantine` is
    CORE_SESSIONS_QUARANTINE.
    """
    wanted = pl.lit(True) if tenant is None else pl.col("tenant") == tenant
    out, hist, own = out.filter(wanted), hist.filter(wanted), core.lazy().filter(wanted)
    content = out.filter(pl.col("dimension") == CONTENT_DIMENSION)
    content_hist = hist.filter(pl.col("dimension") == CONTENT_DIMENSION)
    first, last = period or (_day(content["day"].min()), _day(content["day"].max()))
    daily = _estimates(content, content_hist, ("day",))
    return QoeReport(
        tenant=tenant,
        title=title or tenant or ALL_TENANTS,
        first_day=first,
        last_day=last,
        built_at=built_at,
        definition_version=definition_version,
        sessions=int(content["sessions"].sum()),
        play_hours=float(content["play_ms_sum"].sum()) / _HOUR_MS,
        play_hours_n=int(content["play_ms_n"].sum()),
        rows=_rows(own, out, hist),
        quarantined={} if quarantine is None else _by_rule(quarantine.filter(wanted)),
        summary=_estimates(content, content_hist, ()),
        daily=daily,
        marked=odd_days(daily),
        startup_bins=_shares(histogram.distribution(content_hist, merge=_MERGED)),
        contents=qoe.summarize(content, by=("content_id",)),
        stream_types=qoe.summarize(content, by=("stream_type",)),
        dimensions=_by_dimension(out),
        standouts=standouts(own, dimensions),
        assumption=assumption(own),
        segments=compared(out),
        outcomes=_outcomes(content),
        worst=worst_sessions(own, dimensions),
        heaviest=heaviest(own, HEADLINE),
        incidents=incidents,
    )


def of_tenant(report: QoeReport, tenant: str) -> QoeReport:
    """Return a report over all tenants as that of the only one there is."""
    return replace(report, tenant=tenant, title=tenant)


def _by_rule(quarantine: pl.LazyFrame) -> dict[str, int]:
    return dict(quarantine.group_by("rule").len().sort("rule").collect().iter_rows())


def _rows(core: pl.LazyFrame, out: pl.DataFrame, hist: pl.DataFrame) -> dict[str, int]:
    return {
        CORE_SESSIONS.name: int(core.select(pl.len()).collect().item()),
        OUT_QOE_DAILY.name: out.height,
        OUT_QOE_HISTOGRAM_DAILY.name: hist.height,
    }


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _estimates(out: pl.DataFrame, hist: pl.DataFrame, by: tuple[str, ...]) -> pl.DataFrame:
    columns = [*by, "metric", "value", "low", "high", "n"]
    quantiles = histogram.quantiles(hist, by=by)
    return pl.concat([qoe.summarize(out, by=by).select(columns), quantiles.select(columns)], how="vertical_relaxed")


def _shares(bins: pl.DataFrame) -> pl.DataFrame:
    _, low, high = intervals.proportion(pl.col("n").sum(), pl.col("n"))
    return bins.with_columns(share_low=100 * low, share_high=100 * high)


def _by_dimension(out: pl.DataFrame) -> pl.DataFrame:
    marginal = out.filter(pl.col("dimension") != CONTENT_DIMENSION)
    return qoe.summarize(marginal, by=("dimension", "value")).rename({"dimension_value": "segment"})


def _outcomes(content: pl.DataFrame) -> pl.DataFrame:
    sums = content.group_by("day").agg(pl.col("outcome_n", *[f"{name}_n" for name in OUTCOMES]).sum()).sort("day")
    long = sums.unpivot([f"{name}_n" for name in OUTCOMES], index=["day", "outcome_n"], variable_name="outcome")
    long = long.filter(pl.col("outcome_n") > 0)
    _, low, high = intervals.proportion(pl.col("outcome_n"), pl.col("value"))
    return long.select(
        "day",
        pl.col("outcome").str.strip_suffix("_n"),
        pl.col("value").alias("n"),
        (100 * low).alias("low"),
        (100 * high).alias("high"),
        pl.col("outcome_n").alias("of"),
    )
