"""Quality of experience: what is summed over sessions, so that every metric of QoE can be read from the sums.

`aggregate` goes from core to `OUT_QOE_DAILY` and `OUT_QOE_HOURLY`, on any engine; `summarize` (in `qoe_summary`) reads
metrics with their intervals from its rows, `slice` from whichever table can answer (`slicing`). Quantiles are in
`histogram`, the keys of the rows in `slices`, what each metric means in `registry`.
"""

from collections.abc import Mapping, Sequence

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrameT

from warehouse.datasets import MEANS, OUT_QOE_DAILY, OUTCOMES, RATIOS, SCALE, Dataset, Ratio
from warehouse.metrics.experience import experience_score
from warehouse.metrics.qoe_summary import summarize as summarize
from warehouse.metrics.registry import ESTIMATES
from warehouse.metrics.slices import Frame, sums_by_slice
from warehouse.metrics.slicing import Question, Slice, Tables, answer


def aggregate(
    core: IntoFrameT, dimensions: Mapping[str, str], dataset: Dataset = OUT_QOE_DAILY, *, in_order: bool = False
) -> IntoFrameT:
    """Sum core sessions into the rows of `OUT_QOE_DAILY`, or of `OUT_QOE_HOURLY`, one for each of its keys.

    `core` is a frame of `CORE_SESSIONS` with the configured dimensions, of any engine that Narwhals knows; the result
    is a frame of the same engine, eager if `core` is. A session enters a ratio only when every term of it is known, so
    that numerator and denominator are summed over the same sessions, counted in `<ratio>_n`. `in_order` is explained
    at `slices.sums_by_slice`.
    """
    return sums_by_slice(core, dataset, dimensions, _with_terms, _sums(), in_order=in_order)


def slice(  # noqa: A001 - what an analyst calls it; the builtin has no use here
    tables: Tables,
    by: Sequence[str] = (),
    where: pl.Expr | Sequence[pl.Expr] = (),
    metrics: Sequence[str] = ESTIMATES,
) -> Slice:
    """Return metrics of each group of `by` among the sessions for which every predicate of `where` holds.

    `tables` is a `warehouse.lake.Lake`, or `slicing.Frames`. `by` and the columns tested are any of hour, day, week
    (its Monday), month (its first day), all UTC, tenant, content_id, stream_type and the configured dimensions; a
    predicate is an expression of one row, such as `pl.col("week") >= date(2026, 3, 2)`. Units, intervals and too few
    are as of `summarize` and `histogram.quantiles`.

    The stored sums hold content x stream type, and one dimension at a time, by day and by hour: they answer what asks
    for either. Core answers where dimensions meet one another or content, and where rare values of the dimension were
    summed together in the days and tenants asked for. The result says which it was, and why. Raises ValueError for
    unknown columns and metrics.
    """
    predicates = (where,) if isinstance(where, pl.Expr) else tuple(where)
    return answer(tables, Question(tuple(by), predicates, tuple(metrics)), aggregate)


def ratio_terms() -> dict[str, tuple[nw.Expr, nw.Expr]]:
    """Return numerator and denominator of every ratio for one session, in the units of `warehouse.datasets.RATIOS`.

    - rebuffer_pct_play: rebuffer / (play + rebuffer), the share of the time after start that was stalled;
    - rebuffer_pct_cta: rebuffer / watched, watched = startup + play + rebuffer + seek (CTA-2066);
    - wait_pct: (startup + rebuffer + seek) / watched (Media3's wait time);
    - rebuffers_per_hour: rebuffer count / play time;
    - bitrate_bps: bits played / play time, the mean bitrate weighted by play time (Media3);
    - dropped_frames_per_min: dropped frames / play time;
    - mean_seek_ms: seek time / seeks.
    """
    startup, play, rebuffer, seek = (nw.col(f"{name}_ms") for name in ("startup", "play", "rebuffer", "seek"))
    watched = startup + play + rebuffer + seek
    return {
        "rebuffer_pct_play": (rebuffer, play + rebuffer),
        "rebuffer_pct_cta": (rebuffer, watched),
        "wait_pct": (startup + rebuffer + seek, watched),
        "rebuffers_per_hour": (nw.col("rebuffer_count"), play),
        "bitrate_bps": (nw.col("bitrate_bps").cast(nw.Float64()) * play * 1e-3, play),
        "dropped_frames_per_min": (nw.col("dropped_frames"), play),
        "mean_seek_ms": (seek, nw.col("seek_count")),
    }


def _mean_terms() -> dict[str, nw.Expr]:
    return {
        "startup_ms": nw.col("startup_ms"),
        "rebuffer_ratio_media3": nw.col("rebuffer_ratio_media3"),
        "seeks_per_session": nw.col("seek_count"),
        "experience_score": experience_score(),
    }


def _with_terms(sessions: Frame) -> Frame:
    """Add the terms of every metric; both terms of a ratio are null where either is."""
    terms = {f"_{name}": term for name, term in _mean_terms().items()}
    for name, (num, den) in ratio_terms().items():
        terms[f"_{name}_num"] = nw.when(~den.is_null()).then(num)
        terms[f"_{name}_den"] = nw.when(~num.is_null()).then(den)
    return sessions.with_columns(**terms)


def _sums() -> dict[str, nw.Expr]:
    sums = {
        "sessions": nw.len(),
        "outcome_n": nw.col("outcome").count(),
        **{f"{outcome}_n": (nw.col("outcome") == outcome).cast(nw.Int64()).sum() for outcome in OUTCOMES},
        "clock_suspect_n": nw.col("clock_suspect").cast(nw.Int64()).sum(),
        "play_ms_n": nw.col("play_ms").count(),
        "play_ms_sum": nw.col("play_ms").sum(),
        "duration_ms_sum": nw.col("duration_ms").sum(),
    }
    for ratio in RATIOS:
        sums |= _ratio_sums(ratio)
    for name in MEANS:
        value = nw.col(f"_{name}")
        # Only startup changes its unit: squares are summed in seconds.
        scaled = value * (SCALE["ms"] if name == "startup_ms" else 1.0)
        sums |= {f"{name}_n": value.count(), f"{name}_sum": value.sum(), f"{name}_sq_sum": (scaled * scaled).sum()}
    return sums


def _ratio_sums(ratio: Ratio) -> dict[str, nw.Expr]:
    num, den = nw.col(f"_{ratio.name}_num"), nw.col(f"_{ratio.name}_den")
    scaled_num, scaled_den = num * SCALE[ratio.num_unit], den * SCALE[ratio.den_unit]
    return {
        f"{ratio.name}_n": num.count(),
        f"{ratio.name}_num_sum": num.sum(),
        f"{ratio.name}_den_sum": den.sum(),
        f"{ratio.name}_num_sq_sum": (scaled_num * scaled_num).sum(),
        f"{ratio.name}_den_sq_sum": (scaled_den * scaled_den).sum(),
        f"{ratio.name}_num_den_sum": (scaled_num * scaled_den).sum(),
    }
