"""Which app version a viewer runs on which day, and what the bad one does. The planted fact of the demo.

How a version's effects enter a session is in `lab.playbacks`.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from lab.viewers import Booleans, Floats, Integers, Viewers

OLD, MINOR, PATCH, BAD, HOTFIX = "4.0.3", "4.1.0", "4.1.1", "4.2.0", "4.2.1"
VERSIONS = (OLD, MINOR, PATCH, BAD, HOTFIX)
PLAYERS = {
    OLD: "media3-1.8.0",
    MINOR: "media3-1.8.0",
    PATCH: "media3-1.8.1",
    BAD: "media3-1.9.0",
    HOTFIX: "media3-1.9.1",
}

DAYS_SINCE_BAD_RELEASE = 5
"""The bad day lies so many days before the end of the window."""
ROLLOUT_SHARE = 0.65
"""Of viewers who get the bad release, all on the bad day: an evening later would blur the day it is seen on."""
FIXED_NEXT_DAY = 0.9
"""Of those, who have the hotfix the next day; the rest have it a day later."""

STARTUP_FACTOR = 2.2
"""More than double, for the impatient leave before the slowest starts are measured."""
STALL_FACTOR = 3.0
START_FAILURE_FACTOR = 6.0
PLAYBACK_FAILURE_FACTOR = 2.0


@dataclass(frozen=True)
class Releases:
    """The releases within a window of `days` whole UTC days that ends before `end`."""

    end: date
    days: int

    @property
    def bad_index(self) -> int:
        """Number of the bad day, counted from the first day of the window."""
        return self.days - DAYS_SINCE_BAD_RELEASE

    @property
    def bad_day(self) -> date:
        """UTC day on which the bad release was rolled out."""
        return self.end - timedelta(days=DAYS_SINCE_BAD_RELEASE)

    def installed(self, viewers: Viewers, viewer: Integers, day: Integers) -> Integers:
        """Return the index in VERSIONS that each (viewer, day number) runs."""
        lag = viewers.update_lag_days[viewer]
        chosen = viewers.eager[viewer] < ROLLOUT_SHARE
        fix_day = self.bad_index + 1 + (viewers.eager[viewer] >= ROLLOUT_SHARE * FIXED_NEXT_DAY)
        version = np.full(len(viewer), VERSIONS.index(OLD))
        version[self._ordinary(day, lag, self.bad_index - 7)] = VERSIONS.index(MINOR)
        version[self._ordinary(day, lag, self.bad_index - 3)] = VERSIONS.index(PATCH)
        version[chosen & (day >= self.bad_index)] = VERSIONS.index(BAD)
        version[chosen & (day >= fix_day)] = VERSIONS.index(HOTFIX)
        version[~chosen & self._ordinary(day, lag, self.bad_index + 1)] = VERSIONS.index(HOTFIX)
        return version

    @staticmethod
    def _ordinary(day: Integers, lag: Floats, released: int) -> Booleans:
        return np.asarray(day >= released + lag)
