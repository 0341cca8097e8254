"""What is expected of a series: its own past, lagged, winsorised, by hour of the day and by weekday.

A step enters the past only `lag` steps later, cut to what was expected of it give or take three standard deviations,
and while an incident lasts as exactly what was expected: so that an incident neither hides itself nor the next one.
"""

from collections import deque

import numpy as np

from warehouse.metrics.incident_series import Booleans, Floats, Integers, Moments

CUT_SDS = 3.0
_SEASONAL_SD = 0.3
"""How far the season of all sessions may reasonably be from none, as a standard deviation of its factor."""
_OWN_SEASONAL_SD = 0.12
"""How far that of a slice may be from that of all sessions."""
_PRIOR_STEPS = 30.0
"""Steps' worth of trust in a dispersion of 1 before a series has shown its own."""
_TINY = 1e-12
_UNKNOWN = 1e6
"""Relative variance of a series in which nothing has happened yet: its seasons say nothing."""


class Baseline:
    """The expectations of the series of one metric, learned step by step.

    `whole` gives for each series that of all sessions, whose season it is supposed to share; `seasons` gives for each
    kind of season the phase of every step; the past loses half its weight in `half_life` steps.
    """

    def __init__(self, whole: Integers, seasons: list[Integers], *, half_life: float, lag: int, windows: int) -> None:
        size = len(whole)
        self._whole = whole
        self._seasons = seasons
        self._keep = 0.5 ** (1 / half_life)
        self._waiting: deque[tuple[int, Floats, Floats, Floats, Floats, Booleans]] = deque()
        self._lag = lag
        self._cells = [np.zeros((3, int(phases.max()) + 1, size)) for phases in seasons]
        self._past = np.zeros((3, size))
        self._spread = np.zeros((2, size))
        self._surprise = np.full((windows, size), _PRIOR_STEPS)
        self._trials = np.full((windows, size), _PRIOR_STEPS)

    @property
    def level(self) -> Floats:
        """The usual ratio, whatever the season; nan without a past."""
        _, num, den = self._past
        return np.asarray(np.divide(num, den, out=np.full_like(num, np.nan), where=den > 0))

    @property
    def relative_variance(self) -> Floats:
        """Variance of the ratio over one session / its square."""
        n, num, _ = self._past
        spread, typical = self._spread
        known = (num > 0) & (typical > 0)
        found = np.divide(spread * n**2, typical * num**2, out=np.full_like(num, _UNKNOWN), where=known)
        return np.maximum(found, _TINY)

    @property
    def dispersion(self) -> Floats:
        """By how much the steps vary more than independent sessions would, at least 1, of each window."""
        return np.asarray(np.maximum(self._surprise / self._trials, 1.0))

    def expect(self, step: int) -> tuple[Floats, Floats]:
        """Return the expected ratio of a step, and the sessions that it is worth: 1 / (sum of 1 / n) over its parts."""
        level, variance = self.level, self.relative_variance
        expected, doubt = level.copy(), 1 / np.maximum(self._past[0], _TINY)
        for cells, phases in zip(self._cells, self._seasons, strict=True):
            cell = cells[:, phases[step]]
            shared, _ = _factor(cell, level, variance / _SEASONAL_SD**2, np.ones_like(level))
            own, worth = _factor(cell, level, variance / _OWN_SEASONAL_SD**2, shared[self._whole])
            expected *= own
            doubt += 1 / worth
        return expected, 1 / doubt

    def learn(
        self, step: int, seen: Moments, expected: Floats, worth: Floats, *, held: Booleans, settled: Booleans
    ) -> None:
        """Take note of a step, to be used `lag` steps later.

        `expected` is nan where there is no expectation yet; `held` series count as expected, `settled` ones as seen,
        all others cut.
        """
        usual = expected * seen.den
        sd = usual * np.sqrt(self.dispersion[0] * self.relative_variance * (1 / np.maximum(seen.n, 1.0) + 1 / worth))
        known = np.isfinite(expected) & ~settled
        cut = np.clip(seen.num, usual - CUT_SDS * sd, usual + CUT_SDS * sd)
        num = np.where(known, np.where(held, usual, cut), seen.num)
        typical = ~known | (~held & (num == seen.num))
        spread = np.where(known & typical, seen.spread(np.nan_to_num(expected)), 0.0)
        first = np.nan_to_num(np.divide(seen.num, seen.den, out=np.zeros_like(seen.num), where=seen.den > 0))
        spread = np.where(known, spread, seen.spread(first))
        self._waiting.append((step, seen.n, num, seen.den, spread, typical))
        while len(self._waiting) > self._lag:
            self._absorb(*self._waiting.popleft())

    def surprise(self, window: int, score: Floats, usable: Booleans) -> None:
        """Take note of how far a window of steps was from its expectation, cut at three standard deviations."""
        squared = np.minimum(score**2, CUT_SDS**2)
        self._surprise[window] = np.where(usable, self._surprise[window] * self._keep + squared, self._surprise[window])
        self._trials[window] = np.where(usable, self._trials[window] * self._keep + 1, self._trials[window])

    def _absorb(self, step: int, n: Floats, num: Floats, den: Floats, spread: Floats, typical: Booleans) -> None:
        row = np.stack([n, num, den])
        self._past = self._past * self._keep + row
        self._spread = self._spread * self._keep + np.stack([spread, np.where(typical, n, 0.0)])
        for cells, phases in zip(self._cells, self._seasons, strict=True):
            cells *= self._keep
            cells[:, phases[step]] += row


def _factor(cell: Floats, level: Floats, strength: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Return the season's factor, drawn towards `prior` as by `strength` sessions, and the sessions it is worth."""
    n, num, den = cell
    each = np.divide(den, n, out=np.ones_like(den), where=n > 0)
    weight = level * (den + strength * each)
    found = np.divide(num + strength * each * level * prior, weight, out=prior.copy(), where=weight > 0)
    return found, n + strength
