"""From scores to episodes: when an incident opens, how long it lasts, what its worst moment was.

What a score is comes from `incident_scores`; what is high enough is decided by whoever calls `update`.
"""

from dataclasses import dataclass

import numpy as np

from warehouse.metrics.incident_scores import Window
from warehouse.metrics.incident_series import Booleans, Floats, Moments, Series

Row = dict[str, object]

_CALM = {"hour": 2, "day": 1}
"""Steps in a row without a rise that end an incident."""
_REOPENED = {"hour": 12, "day": 1}
"""An incident that comes back within so many steps is the same one."""
_SILENT_DAYS = 1
_HELD_DAYS = 7
"""After so long a new level is the usual one, and the incident ends when the baseline has learned it."""
_NUM, _DEN = Moments._fields.index("num"), Moments._fields.index("den")


@dataclass
class Episode:
    """One incident of one series, in steps: `last` is the step in which it ended, None while it lasts."""

    column: int
    detected: int
    score: float
    peak: tuple[float, ...]
    expected: float
    first: int
    last: int | None = None
    calm: int = 0
    silent: int = 0


class Episodes:
    """The episodes of all series of one metric."""

    def __init__(self, given: Series, metric: str, windows: tuple[int, ...]) -> None:
        self._given, self._metric = given, metric
        self._seen = given.moments[metric]
        self._reach = max(windows)
        self._steps_a_day = 24 if given.grain == "hour" else 1
        self._open: dict[int, Episode] = {}
        self._latest: dict[int, Episode] = {}
        self._all: list[Episode] = []
        self.held: Booleans = np.zeros(given.slices.height, dtype=bool)
        """Series in an incident: their steps teach the baseline nothing."""
        self.settled: Booleans = self.held.copy()
        """Series whose incident has become their usual state: their steps are learned as they are."""

    def update(
        self,
        step: int,
        usual: Floats,
        standing: list[tuple[Window, Floats, Booleans]],
        raised: Booleans,
        judged: Booleans,
    ) -> None:
        """Open, continue and end episodes at a step.

        `standing` holds each window with its scores and where they are high enough to open; `raised` tells of the
        series that could be `judged` whether they are still above their expectation. `usual` are the expected ratios
        of all steps up to this one.
        """
        for window, scores, opening in standing:
            for column in np.flatnonzero(opening).tolist():
                self._note(step, column, window, float(scores[column]), usual)
        for column, episode in list(self._open.items()):
            self._continue(step, episode, usual, raised=bool(raised[column]), judged=bool(judged[column]))
        self.held[:], self.settled[:] = False, False
        for column, episode in self._open.items():
            lasting = step - episode.first > _HELD_DAYS * self._steps_a_day
            (self.settled if lasting else self.held)[column] = True

    def _note(self, step: int, column: int, window: Window, score: float, usual: Floats) -> None:
        episode = self._open.get(column)
        if episode is None:
            rise = float(window.ratio[column] / window.usual[column])
            first = self._change(column, max(step + 1 - self._reach, 0), step, usual, rise, from_end=True)
            former = self._latest.get(column)
            if former and former.last is not None and first - former.last <= _REOPENED[self._given.grain]:
                episode, former.last, former.calm = former, None, 0
            else:
                episode = Episode(column, step, -np.inf, (), 0.0, first)
                self._all.append(episode)
            self._open[column] = self._latest[column] = episode
        if score > episode.score:
            episode.score, episode.expected = score, float(window.usual[column])
            episode.peak = tuple(float(array[column]) for array in window.seen)

    def _continue(self, step: int, episode: Episode, usual: Floats, *, raised: bool, judged: bool) -> None:
        if judged:
            episode.calm = 0 if raised else episode.calm + 1
            episode.silent = 0
        else:
            episode.silent += 1
        if episode.calm >= _CALM[self._given.grain] or episode.silent > _SILENT_DAYS * self._steps_a_day:
            rise = episode.peak[_NUM] / episode.peak[_DEN] / episode.expected
            episode.last = self._change(episode.column, episode.first, step, usual, rise, from_end=False)
            del self._open[episode.column]

    def _change(self, column: int, first: int, last: int, usual: Floats, rise: float, *, from_end: bool) -> int:
        """Return where between two steps the series changed: what lies on one side is nearest to the raised state.

        That is where the sum of what exceeds the middle between the usual and `rise` times that is greatest, counted
        from the end for the first raised step, from the beginning for the last.
        """
        part = slice(first, last + 1)
        num, den = self._seen.num[part, column], self._seen.den[part, column]
        excess = num - (1 + rise) / 2 * np.nan_to_num(usual[part, column]) * den
        if from_end:
            return first + len(excess) - 1 - int(np.argmax(np.cumsum(excess[::-1])))
        return first + int(np.argmax(np.cumsum(excess)))

    def rows(self) -> list[Row]:
        """Return the episodes with their slice, times and the moments of their peak."""
        return [self._row(episode) for episode in self._all]

    def _row(self, episode: Episode) -> Row:
        given = self._given
        last = given.steps - 1 if episode.last is None else episode.last
        part = slice(episode.first, last + 1)
        sessions = self._seen.n[part, episode.column].sum()
        tenant = self._seen.n[part, given.whole[episode.column]].sum()
        return {
            **given.slices.row(episode.column, named=True),
            "metric": self._metric,
            "started_at": given.time(episode.first),
            "ended_at": None if episode.last is None else given.time(episode.last + 1),
            "detected_at": given.time(episode.detected + 1),
            **dict(zip(Moments._fields, episode.peak, strict=True)),
            "baseline": episode.expected,
            "sessions": int(sessions),
            "share": float(sessions / tenant) if tenant else 0.0,
            "score": episode.score,
        }
