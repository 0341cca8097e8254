"""Aggregates of quality of experience: what is summed of sessions, and the tables that hold the sums.

Formulas are in `warehouse.metrics`; the sessions themselves are in `sessions`.
"""

from dataclasses import dataclass, replace

import polars as pl

from warehouse.datasets.dataset import INSTANT, Dataset, base_of


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums: names and units of its two terms, and the factor that turns their quotient into the metric.

    First moments are stored in the terms' own units (ms, counts, bits); second moments in seconds and Mbit, for
    squares of milliseconds overflow.
    """

    name: str
    num_unit: str
    den_unit: str
    factor: float


SCALE = {"ms": 1e-3, "count": 1.0, "bit": 1e-6}
"""From the unit of a first moment to the unit of its second moments."""

RATIOS = (
    Ratio("rebuffer_pct_play", "ms", "ms", 100.0),
    Ratio("rebuffer_pct_cta", "ms", "ms", 100.0),
    Ratio("wait_pct", "ms", "ms", 100.0),
    Ratio("rebuffers_per_hour", "count", "ms", 3_600_000.0),
    Ratio("bitrate_bps", "bit", "ms", 1_000.0),
    Ratio("dropped_frames_per_min", "count", "ms", 60_000.0),
    Ratio("mean_seek_ms", "ms", "count", 1.0),
)

MEANS = ("startup_ms", "rebuffer_ratio_media3", "seeks_per_session", "experience_score")
"""Means over sessions. Second moments are in the metric's own unit, except `startup_ms`: seconds squared."""

COUNTS = {
    "sessions": "Sessions, whatever is known of them",
    "outcome_n": "Sessions whose outcome is known: the attempts of failure rates",
    "played_n": "Outcome: played",
    "video_start_failure_n": "Outcome: never started, with an error",
    "exit_before_video_start_n": "Outcome: never started, without error",
    "playback_failure_n": "Outcome: started, ended by a fatal error",
    "clock_suspect_n": "Sessions placed by arrival, for their clock cannot be right",
    "play_ms_n": "Sessions with a known play time",
    "play_ms_sum": "Play time, ms",
    "duration_ms_sum": "Session duration, ms",
}

OUTCOMES = ("played", "video_start_failure", "exit_before_video_start", "playback_failure")

HISTOGRAM_METRICS = ("startup_ms",)

CONTENT_DIMENSION = "content"
"""The value of `dimension` for rows of content x stream type, which partition all sessions."""


def _ratio_columns(ratio: Ratio) -> dict[str, tuple[pl.DataType, str]]:
    def first(unit: str) -> pl.DataType:
        return pl.Float64() if unit == "bit" else pl.Int64()

    name = ratio.name
    return {
        f"{name}_n": (pl.Int64(), f"Sessions for which every term of {name} is known"),
        f"{name}_num_sum": (first(ratio.num_unit), f"Numerator of {name}, {ratio.num_unit}"),
        f"{name}_den_sum": (first(ratio.den_unit), f"Denominator of {name}, {ratio.den_unit}"),
        f"{name}_num_sq_sum": (
            pl.Float64(),
            f"Squares of the numerator of {name}, in seconds, counts or Mbit",
        ),
        f"{name}_den_sq_sum": (pl.Float64(), f"Squares of the denominator of {name}, in seconds or counts"),
        f"{name}_num_den_sum": (pl.Float64(), f"Cross products of the terms of {name}"),
    }


def _mean_columns(name: str) -> dict[str, tuple[pl.DataType, str]]:
    integral = name in {"startup_ms", "seeks_per_session"}
    return {
        f"{name}_n": (pl.Int64(), f"Sessions with a value of {name}"),
        f"{name}_sum": (pl.Int64() if integral else pl.Float64(), f"Sum of {name}"),
        f"{name}_sq_sum": (pl.Float64(), f"Sum of squares of {name} (startup in seconds)"),
    }


_OUT_KEYS: dict[str, tuple[pl.DataType, str]] = {
    "day": (pl.Date(), "UTC day of the session's start"),
    "tenant": (pl.String(), "Owner of the data"),
    "dimension": (
        pl.String(),
        "'content' for content x stream type, else the name of a configured dimension",
    ),
    "value": (
        pl.String(),
        "Value of the dimension, rare ones as 'other'; null in content rows and where not sent",
    ),
    "content_id": (pl.String(), "Content, in content rows"),
    "stream_type": (pl.String(), "Stream type, in content rows"),
}


OUT_QOE_DAILY = Dataset(
    name="out_qoe_daily",
    comment="QoE sums a day, by content x stream type and by each configured dimension; ratios come at read time",
    columns=_OUT_KEYS
    | {name: (pl.Int64(), comment) for name, comment in COUNTS.items()}
    | {name: column for ratio in RATIOS for name, column in _ratio_columns(ratio).items()}
    | {name: column for mean in MEANS for name, column in _mean_columns(mean).items()},
    key=tuple(_OUT_KEYS),
)

OUT_QOE_HISTOGRAM_DAILY = Dataset(
    name="out_qoe_histogram_daily",
    comment="Log-spaced histograms a day, by the same keys as out_qoe_daily: quantiles come at read time",
    columns=_OUT_KEYS
    | {
        "metric": (pl.String(), "What was measured"),
        "bucket": (pl.Int32(), "Bucket number; see warehouse.metrics.histogram"),
        "n": (pl.Int64(), "Sessions in the bucket"),
    },
    key=(*_OUT_KEYS, "metric", "bucket"),
)


def _hourly(daily: Dataset) -> Dataset:
    """Return the table that adds up to a daily one: with the hour in its key, kept by days as well."""
    hour: dict[str, tuple[pl.DataType, str]] = {"hour": (INSTANT, "UTC hour of the session's start")}
    return replace(
        daily,
        name=daily.name.replace("daily", "hourly"),
        comment=daily.comment.replace(" a day", " an hour").replace("daily", "hourly"),
        columns={"day": daily.columns["day"]} | hour | dict(daily.columns),
        key=("day", "hour", *daily.key[1:]),
    )


OUT_QOE_HOURLY = _hourly(OUT_QOE_DAILY)
OUT_QOE_HISTOGRAM_HOURLY = _hourly(OUT_QOE_HISTOGRAM_DAILY)


OUT_QOE_DAILY_BASE = base_of(OUT_QOE_DAILY)
OUT_QOE_HISTOGRAM_DAILY_BASE = base_of(OUT_QOE_HISTOGRAM_DAILY)
OUT_QOE_HOURLY_BASE = base_of(OUT_QOE_HOURLY)
OUT_QOE_HISTOGRAM_HOURLY_BASE = base_of(OUT_QOE_HISTOGRAM_HOURLY)
