"""The numerator and denominator of the metrics of incidents for one session of core, and the sessions of a slice."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from warehouse.datasets import CONTENT_DIMENSION
from warehouse.metrics.incident_series import ALL_DIMENSION, FACTOR

CONTENT_COLUMNS = ("content_id", "stream_type")


def with_terms(core: pl.LazyFrame, metric: str) -> pl.LazyFrame:
    """Add `num` and `den`, in counts or seconds, and leave out the sessions that do not enter the metric."""
    num, den = _terms()[metric]
    return core.with_columns(num=num.cast(pl.Float64), den=den.cast(pl.Float64)).drop_nulls(["num", "den"])


def in_slice(row: Mapping[str, object]) -> pl.Expr:
    """Return whether a session of core belongs to a slice: [tenant, dimension, value, content_id, stream_type]."""
    own = pl.col("tenant").eq(row["tenant"])
    if row["dimension"] == ALL_DIMENSION:
        return own
    if row["dimension"] == CONTENT_DIMENSION:
        return own & pl.all_horizontal(pl.col(name).eq_missing(pl.lit(row[name])) for name in CONTENT_COLUMNS)
    return own & pl.col(str(row["dimension"])).eq_missing(pl.lit(row["value"]))


def slice_name(row: Mapping[str, Any]) -> str:
    """Return a slice as one word: `all`, `cdn=north`, `content=film/dash`."""
    if row["dimension"] == ALL_DIMENSION:
        return "all"
    if row["dimension"] == CONTENT_DIMENSION:
        return f"content={row['content_id'] or '?'}/{row['stream_type'] or '?'}"
    return f"{row['dimension']}={row['value']}"


def columns(metric: str, dimensions: Sequence[str]) -> list[str]:
    """Return the columns of core that incidents of a metric are explained from."""
    measures = {
        "failure_pct": ("outcome",),
        "rebuffer_pct_play": ("rebuffer_ms", "play_ms"),
        "startup_ms": ("startup_ms",),
    }
    identity = ("tenant", "started_at", "session_id", "user_id", "device_id")
    return [*identity, *CONTENT_COLUMNS, *dimensions, *measures[metric]]


def _terms() -> dict[str, tuple[pl.Expr, pl.Expr]]:
    outcome, rebuffer_s, play_s = pl.col("outcome"), pl.col("rebuffer_ms") * 1e-3, pl.col("play_ms") * 1e-3
    failed = outcome.is_in(["video_start_failure", "playback_failure"])
    startup = pl.col("startup_ms") / FACTOR["startup_ms"]
    return {
        "failure_pct": (failed, pl.when(outcome.is_not_null()).then(1.0)),
        "rebuffer_pct_play": (rebuffer_s, rebuffer_s + play_s),
        "startup_ms": (startup, pl.when(startup.is_not_null()).then(1.0)),
    }
