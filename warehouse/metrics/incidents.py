"""Incidents: when a slice fails, stalls or starts slowly by more than chance, season and its own past explain.

From sums of `out` alone, as they stood at each step, so that the same data found as it came in gives the same answer.
Which slices share one incident, and what explains it, is in `root_causes`; keeping and telling is not done here.
"""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from warehouse.metrics import intervals
from warehouse.metrics.incident_baseline import Baseline
from warehouse.metrics.incident_episodes import Episodes, Row
from warehouse.metrics.incident_rules import Thresholds
from warehouse.metrics.incident_scores import Window, pooled
from warehouse.metrics.incident_series import (
    FACTOR,
    METRICS,
    SLICE,
    STEP,
    Booleans,
    Floats,
    Grain,
    Moments,
    Series,
    series,
)

SCHEMA = pl.Schema(
    {
        **{name: pl.String() for name in SLICE},
        "metric": pl.String(),
        "started_at": pl.Datetime("us", "UTC"),
        "ended_at": pl.Datetime("us", "UTC"),
        "detected_at": pl.Datetime("us", "UTC"),
        "peak": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "baseline": pl.Float64(),
        "n": pl.Int64(),
        "sessions": pl.Int64(),
        "share": pl.Float64(),
        "score": pl.Float64(),
        "severity": pl.String(),
    }
)
"""`ended_at` is null while it lasts; `peak` with its 95 % interval low-high of `n` sessions is the most surprising
window, `baseline` what was expected of that; `sessions` are all of the slice's since the start, `share` theirs of the
tenant's; `score` is in standard deviations. Values are in the metric's own unit."""


WINDOWS = {"hour": (1, 3, 8, 24), "day": (1, 2)}
"""Steps that are pooled, so that a small slice or a small rise is found by lasting."""
_LAG = {"hour": 24, "day": 1}
_HALF_LIFE_DAYS = 10.0
_LEAST_EXCESS = {"failure_pct": 0.01, "rebuffer_pct_play": 0.002, "startup_ms": 0.1}
"""Rises smaller than a hundredth of attempts, 0.2 points or 100 ms are no incident, however sure."""
_LEAST_EVENTS = 5.0
"""Sessions that must bear a rise, counted by weight, (sum x)^2 / sum x^2: so many failures, or sessions that stalled
alike. One that stalled for hours is one."""
_STILL = 2.0
"""An incident lasts while the score is at least so high."""
_MANY, _MUCH = 0.2, 2.0
"""Share of the tenant's sessions, and ratio to the expectation: critical with both, major with one of them."""


def detect(
    out: pl.DataFrame, grain: Grain, rules: Thresholds | None = None, *, until: datetime | None = None
) -> pl.DataFrame:
    """Return the incidents in rows of `OUT_QOE_DAILY` (grain "day") or `OUT_QOE_HOURLY` (grain "hour"): `SCHEMA`.

    Rows are of any number of tenants, each judged by itself, and only of steps that are over and complete, for
    sessions that fail are told of sooner than those that play. Up to `until` (the end of the last row by default) a
    step without rows had no sessions. Several slices may tell of one incident.
    """
    if out.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    rules = rules or Thresholds()
    given = series(out, grain, rules.cohort, until)
    found = [row for metric in METRICS for row in _episodes(given, metric, rules)]
    if not found:
        return pl.DataFrame(schema=SCHEMA)
    rows = _estimates(pl.DataFrame(found, infer_schema_length=None))
    return rows.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort("started_at", "metric", *SLICE)


def _episodes(given: Series, metric: str, rules: Thresholds) -> list[Row]:
    seen, windows = given.moments[metric], WINDOWS[given.grain]
    steps_a_day = timedelta(days=1) // STEP[given.grain]
    seasons = [given.season("weekday")] + ([given.season("hour")] if given.grain == "hour" else [])
    half_life, lag = _HALF_LIFE_DAYS * steps_a_day, _LAG[given.grain]
    baseline = Baseline(given.whole, seasons, half_life=half_life, lag=lag, windows=len(windows))
    history = np.argmax(seen.n > 0, axis=0) + rules.history_days * steps_a_day
    cumulated, expected = seen.cumulated(), np.zeros((given.steps + 1, given.slices.height))
    usual = np.full(seen.n.shape, np.nan)
    episodes = Episodes(given, metric, windows)
    for step in range(given.steps):
        ratio, worth = baseline.expect(step)
        usual[step] = np.where(step >= history, ratio, np.nan)
        expected[step + 1] = expected[step] + np.nan_to_num(usual[step]) * seen.den[step]
        judge = _Judge(metric, rules, baseline, episodes.held | episodes.settled)
        for index, width in enumerate(windows):
            begin = max(step + 1 - width, 0)
            sums = Moments(*(array[step + 1] - array[begin] for array in cumulated))
            hoped = np.where(begin >= history, expected[step + 1] - expected[begin], np.nan)
            judge.window(index, sums, hoped, worth)
        episodes.update(step, usual, judge.standing, judge.raised, judge.judged)
        baseline.learn(step, seen.at(step), usual[step], worth, held=episodes.held, settled=episodes.settled)
    return episodes.rows()


class _Judge:
    """What the windows of one step say of every series: the narrowest with sessions enough tells whether it lasts."""

    def __init__(self, metric: str, rules: Thresholds, baseline: Baseline, in_incident: Booleans) -> None:
        self._metric, self._rules, self._baseline, self._in_incident = metric, rules, baseline, in_incident
        self.standing: list[tuple[Window, Floats, Booleans]] = []
        self.raised = np.zeros_like(in_incident)
        self.judged = np.zeros_like(in_incident)

    def window(self, index: int, seen: Moments, expected: Floats, worth: Floats) -> None:
        """Score one window, learn from it where nothing is amiss, and tell where it stands out."""
        failures = self._metric == "failure_pct"
        found = pooled(seen, expected, worth, self._baseline, proportion=failures)
        enough = np.isfinite(found.score) & (seen.n >= self._rules.cohort)
        scores = np.where(enough, found.score, 0.0) / np.sqrt(self._baseline.dispersion[index])
        self._baseline.surprise(index, np.where(enough, found.score, 0.0), enough & ~self._in_incident)
        with np.errstate(divide="ignore", invalid="ignore"):
            excess, rise = found.ratio - found.usual, found.ratio / found.usual
            high = (excess >= _LEAST_EXCESS[self._metric]) & (rise >= self._rules.rise)
            still = (scores >= _STILL) & (rise >= (1 + self._rules.rise) / 2)
        high &= seen.num**2 >= _LEAST_EVENTS * seen.num_sq
        self.standing.append((found, scores, enough & high & (scores >= self._rules.score)))
        self.raised = np.where(enough & ~self.judged, still, self.raised)
        self.judged |= enough


def _estimates(rows: pl.DataFrame) -> pl.DataFrame:
    """Turn the moments of the peaks into values with their intervals, and name the severity."""
    moments = [pl.col(name) for name in Moments._fields]
    _, half = intervals.ratio(*moments)
    ratio = pl.col("num") / pl.col("den")
    _, least, most = intervals.proportion(pl.col("n"), pl.col("num"))
    counted = pl.col("metric") == "failure_pct"
    factor = pl.col("metric").replace_strict(FACTOR, return_dtype=pl.Float64())
    times, many = ratio / pl.col("baseline"), pl.col("share") >= _MANY
    return rows.with_columns(
        peak=ratio * factor,
        low=pl.when(counted).then(least).otherwise((ratio - half).clip(lower_bound=0.0)) * factor,
        high=pl.when(counted).then(most).otherwise(ratio + half) * factor,
        baseline=pl.col("baseline") * factor,
        severity=pl.when(many & (times >= _MUCH))
        .then(pl.lit("critical"))
        .when(many | (times >= _MUCH))
        .then(pl.lit("major"))
        .otherwise(pl.lit("minor")),
    )
