"""What each metric is called, its unit, and its definition in one line, as pages and figures print them.

The formulas themselves are computed in `warehouse.metrics`; nothing here computes.
"""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["pct", "ms", "bps", "ratio", "score", "per_hour", "per_min", "per_session", "hours", "count", "points"]


@dataclass(frozen=True)
class Metric:
    """A metric as a reader meets it. `better` says which direction is good for viewers, where one is."""

    name: str
    title: str
    unit: Unit
    definition: str
    better: Literal["lower", "higher", "neither"] = "lower"


DIMENSION_TITLES = {
    "app_version": "App version",
    "device_model": "Device",
    "os_version": "OS version",
    "network_type": "Network",
    "cdn": "CDN",
}
"""Dimensions whose title is not simply their name."""


def dimension_title(name: str) -> str:
    """Return what a dimension is called on a page."""
    return DIMENSION_TITLES.get(name, name.replace("_", " ").capitalize())


_OUT = "out_qoe_daily"
_HISTOGRAM = "out_qoe_histogram_daily"
_QUANTILE = "quantile of the time from play request to first frame, sessions with a first frame only"

METRICS = {
    metric.name: metric
    for metric in (
        Metric("sessions", "Sessions", "count", "Distinct sessions that started in the period", "neither"),
        Metric("play_hours", "Play time", "hours", "Σ time in the playing state", "neither"),
        Metric("startup_ms_p50", "Startup, median", "ms", f"50 % {_QUANTILE}"),
        Metric("startup_ms_p75", "Startup, p75", "ms", f"75 % {_QUANTILE}"),
        Metric("startup_ms_p95", "Startup, p95", "ms", f"95 % {_QUANTILE}"),
        Metric("startup_ms_p99", "Startup, p99", "ms", f"99 % {_QUANTILE}"),
        Metric("startup_ms", "Startup, mean", "ms", "Mean time from play request to first frame"),
        Metric("rebuffer_pct_play", "Rebuffering", "pct", "Σ rebuffer time / Σ (play + rebuffer time)"),
        Metric(
            "rebuffer_pct_cta",
            "Rebuffering, CTA",
            "pct",
            "Σ rebuffer time / Σ (startup + play + rebuffer + seek time)",
        ),
        Metric("rebuffer_ratio_media3", "Rebuffer ratio, Media3", "ratio", "Mean over sessions of the SDK's own ratio"),
        Metric("rebuffers_per_hour", "Stalls an hour", "per_hour", "Σ stalls / Σ play hours"),
        Metric("wait_pct", "Waiting", "pct", "Σ (startup + rebuffer + seek time) / Σ watched time"),
        Metric("vsf_pct", "Start failures", "pct", "Never started, with an error / attempts"),
        Metric("ebvs_pct", "Exits before start", "pct", "Never started, without an error / attempts"),
        Metric("vpf_pct", "Playback failures", "pct", "Started, then ended by a fatal error / ended plays"),
        Metric("bitrate_bps", "Bitrate", "bps", "Σ (bitrate × play time) / Σ play time", "higher"),
        Metric("dropped_frames_per_min", "Dropped frames a minute", "per_min", "Σ dropped frames / Σ play minutes"),
        Metric("seeks_per_session", "Seeks a session", "per_session", "Mean number of seeks of a session", "neither"),
        Metric("mean_seek_ms", "Seek, mean", "ms", "Σ seek time / Σ seeks"),
        Metric(
            "experience_score",
            "Experience score",
            "score",
            "Mean over sessions of success × mean(startup, smoothness)",
            "higher",
        ),
    )
}


_UNITS = {"pct": "percent", "ms": "ms", "bps": "bit/s", "score": "0–100"}


def definition(metric: str) -> str:
    """Return a metric's formula and unit in one line."""
    unit = _UNITS.get(METRICS[metric].unit)
    return METRICS[metric].definition + (f", {unit}." if unit else ".")


def source_table(metric: str) -> str:
    """Return the table from which a metric of `METRICS` is read."""
    return _HISTOGRAM if metric.startswith("startup_ms_p") else _OUT


DISAGREEMENTS = (
    "Rebuffering here divides by play + rebuffer time. CTA-2066 also counts startup and seek time in the denominator "
    "and so gives a lower figure; Puffer counts stall hours over watch hours with startup apart.",
    "TUM's data counts stalls a minute of video; stalls an hour here divide by hours of play.",
    "Media3's own rebuffer ratio is a mean of ratios, in which a ten-second session weighs as much as a film; every "
    "other ratio here is a ratio of sums.",
    "A player that logs “buffering” every 100 ms has one stall, not many.",
    "Mean startup improves when the impatient leave, so exits before start stand beside it.",
    "The experience score combines the parts that Mux has published; Mux's own way of combining them is not public, "
    "so the two scores are not the same.",
    "Intervals treat sessions as independent. Sessions of one viewer are alike, so the true intervals are somewhat "
    "wider: session-level tests were measured to raise 10–14 % false alarms where 5 % are nominal.",
)
"""Where others count differently, for the foot of a page."""
