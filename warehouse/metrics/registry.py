"""The one list of metrics: name, formula, unit, direction, null rule, source of each. Nothing is computed here.

Summaries, comparisons, pages, notebooks, asset metadata and `metrics.html` read it. How the terms of a session are
made is in `qoe` and `experience`, how sums are stored in `warehouse.datasets`, how they are read in `qoe_summary` and
`histogram`. Names of dimensions are no metrics and are kept where they are shown.
"""

from dataclasses import dataclass
from typing import Literal

from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, RATIOS, SCALE, Ratio

Unit = Literal["pct", "ms", "bps", "ratio", "score", "per_hour", "per_min", "per_session", "hours", "count", "points"]
Kind = Literal["count", "quantile", "mean", "ratio", "proportion"]
Direction = Literal["lower", "higher", "neither"]

INTERVALS: dict[Kind, str] = {
    "count": "None: counted, not estimated",
    "quantile": "Order statistics on the log-spaced histogram, interpolated",
    "mean": "Delta method, Student's t; on the log scale where lower is better",
    "ratio": "Delta method on the log scale, Student's t",
    "proportion": "Wilson's score interval",
}
"""How the 95 % interval of each kind of metric is made."""

MIN_N: dict[Kind, int] = {"count": 0, "quantile": 20, "proportion": 20, "mean": 100, "ratio": 100}
"""Below so many sessions a metric has no value: too few. Ratios and means need more, for with fewer sessions, skewed as
stalls are, their intervals miss the truth more often than they say (measured on the demo's viewers: 9-18 % at 20)."""


@dataclass(frozen=True)
class Metric:
    """A metric as its readers meet it.

    `better` says which direction is good for viewers, where one is. `nulls` says which sessions enter; `source` whose
    definition it is. `most` is the greatest possible value, which no interval exceeds; none goes below 0. `hits` and
    `trials` are the columns of OUT_QOE_DAILY that a proportion is read from, `q` is the share of a quantile.
    """

    name: str
    title: str
    kind: Kind
    unit: Unit
    formula: str
    nulls: str
    source: str
    better: Direction = "lower"
    most: float | None = None
    hits: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    q: float | None = None

    @property
    def table(self) -> str:
        """The table that the metric is read from."""
        return (OUT_QOE_HISTOGRAM_DAILY if self.kind == "quantile" else OUT_QOE_DAILY).name

    @property
    def terms(self) -> Ratio:
        """The stored terms of a ratio. Raises KeyError for any other metric."""
        return _RATIOS[self.name]

    @property
    def scale(self) -> float:
        """From the unit of a mean to the unit of its second moments."""
        return SCALE["ms"] if self.name == "startup_ms" else 1.0


_RATIOS = {ratio.name: ratio for ratio in RATIOS}
_EVERY_TERM = "Sessions for which every term is known"
_STARTED = "Sessions with a first frame; those without stand in exits before start and start failures"
_OUTCOME = "Sessions whose outcome is known: a null error count is not measured, no zero"
_CONVIVA = "Conviva's split of attempts; fatal errors as Media3 PlaybackStats counts them"
_MEDIA3 = "Media3 PlaybackStats"


def _startup(percent: int) -> Metric:
    return Metric(
        name=f"startup_ms_p{percent}",
        title="Startup, median" if percent == 50 else f"Startup, p{percent}",
        kind="quantile",
        unit="ms",
        formula=f"{percent} % quantile (nearest rank) of the time from play request to first frame",
        nulls=_STARTED,
        source=_MEDIA3,
        q=percent / 100,
    )


def _failure(name: str, title: str, formula: str, hits: tuple[str, ...], trials: tuple[str, ...]) -> Metric:
    return Metric(name, title, "proportion", "pct", formula, _OUTCOME, _CONVIVA, most=100.0, hits=hits, trials=trials)


_ALL = (
    Metric(
        "sessions", "Sessions", "count", "count", "Distinct sessions that started in the period",
        "Every session", "Playhead", "neither",
    ),
    Metric(
        "play_hours", "Play time", "count", "hours", "Σ time in the playing state",
        "Sessions with a known play time", _MEDIA3, "neither",
    ),
    _startup(50),
    _startup(75),
    _startup(95),
    _startup(99),
    Metric(
        "startup_ms", "Startup, mean", "mean", "ms", "Mean time from play request to first frame", _STARTED, _MEDIA3,
    ),
    Metric(
        "rebuffer_pct_play", "Rebuffering", "ratio", "pct", "Σ rebuffer time / Σ (play + rebuffer time)",
        _EVERY_TERM, "The share of the time after the start that was stalled", most=100.0,
    ),
    Metric(
        "rebuffer_pct_cta", "Rebuffering, CTA", "ratio", "pct",
        "Σ rebuffer time / Σ watched time; watched = startup + play + rebuffer + seek time",
        _EVERY_TERM, "CTA-2066", most=100.0,
    ),
    Metric(
        "rebuffer_ratio_media3", "Rebuffer ratio, Media3", "mean", "ratio", "Mean over sessions of the SDK's own ratio",
        "Sessions with play time: the SDK reports 0 where nothing was measured", _MEDIA3, most=1.0,
    ),
    Metric(
        "rebuffers_per_hour", "Stalls an hour", "ratio", "per_hour", "Σ stalls / Σ play hours",
        f"{_EVERY_TERM}; Media3 also counts stalls while paused, which take no time", _MEDIA3,
    ),
    Metric(
        "wait_pct", "Waiting", "ratio", "pct", "Σ (startup + rebuffer + seek time) / Σ watched time",
        _EVERY_TERM, "Media3's wait time", most=100.0,
    ),
    _failure(
        "vsf_pct", "Start failures", "Never started, with an error / attempts", ("video_start_failure_n",),
        ("outcome_n",),
    ),
    _failure(
        "ebvs_pct", "Exits before start", "Never started, without an error / attempts", ("exit_before_video_start_n",),
        ("outcome_n",),
    ),
    _failure(
        "vpf_pct", "Playback failures", "Started, then ended by a fatal error / ended plays", ("playback_failure_n",),
        ("playback_failure_n", "played_n"),
    ),
    _failure(
        "failure_pct", "Failures", "Ended by an error, before or after the start / attempts",
        ("video_start_failure_n", "playback_failure_n"), ("outcome_n",),
    ),
    Metric(
        "bitrate_bps", "Bitrate", "ratio", "bps", "Σ (bitrate × play time) / Σ play time",
        f"{_EVERY_TERM}; a bitrate of -1 is unknown", _MEDIA3, "higher",
    ),
    Metric(
        "dropped_frames_per_min", "Dropped frames a minute", "ratio", "per_min", "Σ dropped frames / Σ play minutes",
        _EVERY_TERM, _MEDIA3,
    ),
    Metric(
        "seeks_per_session", "Seeks a session", "mean", "per_session", "Mean number of seeks of a session",
        "Sessions that count seeks", _MEDIA3, "neither",
    ),
    Metric("mean_seek_ms", "Seek, mean", "ratio", "ms", "Σ seek time / Σ seeks", _EVERY_TERM, _MEDIA3),
    Metric(
        "experience_score", "Experience score", "mean", "score",
        "Mean over sessions of success × mean(startup, smoothness)",
        "Sessions with every term; an exit within 1 s has no score, a failure scores 0",
        "The parts are Mux's published ones; how Mux combines them is not public, so the scores differ from Mux's",
        "higher", 100.0,
    ),
)  # fmt: skip

METRICS = {metric.name: metric for metric in _ALL}
"""Every metric by its name, in the order in which it is listed."""

SUMMED = tuple(metric.name for metric in _ALL if metric.kind in {"ratio", "mean", "proportion"})
"""The metrics that `qoe.summarize` reads from sums, in its order."""

ESTIMATES = tuple(metric.name for metric in _ALL if metric.kind != "count")
"""The metrics that have an interval."""

QUANTILES = tuple(metric.q for metric in _ALL if metric.q is not None)
"""The shares of the quantiles that are shown."""
