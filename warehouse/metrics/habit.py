"""Whether a user watches more than before: whole weeks against as many before them, with an interval.

A week is one observation, for days of a week are alike. The tracker's own weekly trend is in `progress`.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from warehouse.metrics import intervals
from warehouse.metrics.progress_daily import weekly

MOST_WEEKS = 12
"""Weeks on each side, where there are so many."""
FEWEST_WEEKS = 4
"""With fewer on each side nothing is said."""
_HOUR_S = 3600
_RELATIVE_NOISE = 1e-12
"""A spread below so much of the squares it is the rest of cannot be told from rounding."""


@dataclass(frozen=True)
class Change:
    """Mean hours a week of the last `weeks` whole weeks, and of as many before them; bounds of the difference.

    The bounds are those of a 95 % interval, null where the weeks of each side are all alike.
    """

    weeks: int
    first_week: date
    """Monday of the first week of the earlier side."""
    before_h: float
    recent_h: float
    low_h: float | None
    high_h: float | None

    @property
    def difference_h(self) -> float:
        """Hours a week more than before."""
        return self.recent_h - self.before_h


def change(daily: pl.DataFrame, today: date) -> Change | None:
    """Return the change of the weekly hours in rows of `OUT_PROGRESS_DAILY` of one user; None with too few weeks.

    Whole weeks are those from the first Monday with, or after, the first watch, up to the Sunday before `today`.
    """
    past = daily.filter(pl.col("day") <= today)
    first, end = past["day"].min(), today - timedelta(days=today.weekday())
    if not isinstance(first, date):
        return None
    start = first + timedelta(days=-first.weekday() % 7)
    count = min((end - start).days // 14, MOST_WEEKS)
    if count < FEWEST_WEEKS:
        return None
    start = end - timedelta(weeks=2 * count)
    weeks = weekly(past, start, end - timedelta(days=1)).select(
        is_recent=pl.col("week") >= end - timedelta(weeks=count), hours=pl.col("watched_s") / _HOUR_S
    )
    hours = pl.col("hours")
    sides = weeks.group_by("is_recent").agg(mean=hours.mean(), squares=(hours**2).sum()).sort("is_recent")
    (before_h, before_squares), (recent_h, recent_squares) = sides.select("mean", "squares").iter_rows()
    half_h = _half(before_squares + recent_squares, (before_h, recent_h), count)
    difference_h = recent_h - before_h
    return Change(
        weeks=count,
        first_week=start,
        before_h=before_h,
        recent_h=recent_h,
        low_h=None if half_h is None else difference_h - half_h,
        high_h=None if half_h is None else difference_h + half_h,
    )


def _half(squares: float, means: tuple[float, float], count: int) -> float | None:
    """Return the half width by Student's t with pooled variance: sides of equal size bear that theirs differ."""
    spread = squares - count * sum(mean**2 for mean in means)
    if spread <= _RELATIVE_NOISE * squares:
        return None
    freedom = 2 * count - 2
    critical = float(pl.select(intervals.critical(pl.lit(freedom + 1))).item())
    return critical * math.sqrt(spread / freedom * 2 / count)
