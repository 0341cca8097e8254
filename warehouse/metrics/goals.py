"""Goals of minutes a day or a week, and the streaks of keeping them.

Streaks are computed from what was watched, never counted up and stored: watches that arrive late fill the gap that
they belong to. How goals are kept is not known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl

from warehouse.metrics.progress_daily import by_day

Period = Literal["day", "week"]
PERIODS: tuple[Period, ...] = ("day", "week")
_LENGTH = {"day": timedelta(days=1), "week": timedelta(days=7)}


@dataclass(frozen=True)
class Goal:
    """So many minutes in each local day, or in each week from Monday, from the day `since` on.

    Raises ValueError below 1 minute.
    """

    period: Period
    minutes: int
    since: date

    def __post_init__(self) -> None:
        if self.minutes < 1:
            raise ValueError(f"a goal of {self.minutes} minutes")


@dataclass(frozen=True)
class Streak:
    """How a goal is kept: `goal_minutes` and the whole `minutes` so far of the running period, and runs of periods.

    `current` is the run up to now; a running period that is not met yet neither adds to it nor ends it. `longest` is
    the longest run ever.
    """

    period: Period
    goal_minutes: int
    minutes: int
    met: bool
    current: int
    longest: int


def streaks(daily: pl.DataFrame, goals: Sequence[Goal], today: date) -> tuple[Streak, ...]:
    """Return one streak for each kind of period with a goal, days first, at the local day `today`.

    `daily` holds the rows of `OUT_PROGRESS_DAILY` of one user. A period is judged by the newest goal set by its end,
    so that a new goal does not rewrite the past; those before the first goal are judged by the first, so that history
    that is imported later counts. Days after `today` are passed over.
    """
    days: Mapping[date, int] = dict(by_day(daily).select("day", "watched_s").iter_rows())
    past = {day: seconds for day, seconds in days.items() if day <= today}
    by_period = {period: [goal for goal in goals if goal.period == period] for period in PERIODS}
    return tuple(_streak(past, period, given, today) for period, given in by_period.items() if given)


def _streak(days: Mapping[date, int], period: Period, goals: Sequence[Goal], today: date) -> Streak:
    watched: dict[date, int] = {}
    for day, seconds in days.items():
        start = _start(day, period)
        watched[start] = watched.get(start, 0) + seconds
    running = _start(today, period)
    goal_s = {start: _goal(goals, start + _LENGTH[period]).minutes * 60 for start in {*watched, running}}
    met = {start for start, seconds in watched.items() if seconds >= goal_s[start]}
    current = _run(met, running if running in met else running - _LENGTH[period], _LENGTH[period])
    ends = (start for start in met if start + _LENGTH[period] not in met)
    return Streak(
        period=period,
        goal_minutes=goal_s[running] // 60,
        minutes=watched.get(running, 0) // 60,
        met=running in met,
        current=current,
        longest=max((_run(met, end, _LENGTH[period]) for end in ends), default=0),
    )


def _start(day: date, period: Period) -> date:
    return day if period == "day" else day - timedelta(days=day.weekday())


def _goal(goals: Sequence[Goal], end: date) -> Goal:
    """Return the goal of the period that ends before `end`; of two set on one day the later given."""
    ordered = sorted(goals, key=lambda goal: goal.since)
    return next((goal for goal in reversed(ordered) if goal.since < end), ordered[0])


def _run(met: set[date], end: date, length: timedelta) -> int:
    """Return how many periods in a row, the last of them starting at `end`, are met."""
    count = 0
    while end in met:
        count, end = count + 1, end - length
    return count
