"""How far the last steps of every series are from what was expected of them, step by step and over several windows.

What a score must be to be an incident is decided in `incidents`.
"""

from dataclasses import dataclass

import numpy as np

from warehouse.metrics.incident_baseline import Baseline
from warehouse.metrics.incident_series import Floats, Moments


@dataclass(frozen=True)
class Window:
    """The last steps of every series, pooled: what was seen, what was expected, and how surprising it is.

    `score` is in standard deviations of what chance and the series' own restlessness explain; nan without expectation.
    """

    seen: Moments
    expected: Floats
    score: Floats

    @property
    def ratio(self) -> Floats:
        """What was seen, as a ratio; nan where nothing was."""
        return np.divide(self.seen.num, self.seen.den, out=np.full_like(self.expected, np.nan), where=self.seen.den > 0)

    @property
    def usual(self) -> Floats:
        """What was expected, as a ratio."""
        known = self.seen.den > 0
        return np.divide(self.expected, self.seen.den, out=np.full_like(self.expected, np.nan), where=known)


def pooled(seen: Moments, expected: Floats, worth: Floats, baseline: Baseline, *, proportion: bool) -> Window:
    """Score the sums of some steps against the numerator that was `expected` of them, before dispersion.

    Proportions are compared by the variance-stabilising arcsine (Anscombe 1948), which holds for a handful of events;
    other ratios by logarithms, with the greater of the usual variance and the steps' own, so that one session that
    stalled for an hour is no incident.
    """
    doubt = 1 + np.divide(seen.n, worth, out=np.zeros_like(worth), where=worth > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if proportion:
            score = 2 * np.sqrt(seen.n + 0.5) * (_angle(seen.num, seen.n) - _angle(expected, seen.n))
        else:
            ratio = seen.num / seen.den
            own = seen.spread(ratio) * seen.n / seen.num**2
            variance = np.fmax(baseline.relative_variance, own) / seen.n
            rise = seen.num / expected
            score = np.where(rise > 1, np.log(rise), rise - 1) / np.sqrt(variance)
        score = score / np.sqrt(doubt)
    unknown = (seen.n == 0) | ~np.isfinite(expected) | (~proportion & (expected <= 0))
    return Window(seen, expected, np.where(unknown, np.nan, score))


def _angle(hits: Floats, trials: Floats) -> Floats:
    return np.asarray(np.arcsin(np.sqrt(np.clip((hits + 0.375) / (trials + 0.75), 0.0, 1.0))))
