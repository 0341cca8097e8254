"""Goals and streaks: runs of days and weeks, the running one, backfilling, goals that change."""

import random
from datetime import date, timedelta

import pytest

from tests.unit.watch_frames import NOW, daily, minutes
from warehouse.metrics.goals import Goal, Streak, streaks

TODAY = date(2026, 3, 18)
LONG_AGO = date(2020, 1, 1)
DAILY = Goal("day", 30, LONG_AGO)


def watched(*days_ago, count=30):
    return [minutes(count, NOW - timedelta(days=ago)) for ago in days_ago]


def streak(rows, *goals, today=TODAY):
    (found,) = streaks(daily(rows), goals or (DAILY,), today)
    return found


def test_nothing_watched():
    assert streak([]) == Streak("day", 30, 0, met=False, current=0, longest=0)
    assert streaks(daily(watched(0)), (), TODAY) == ()


@pytest.mark.parametrize(
    ("days_ago", "current", "longest"),
    [
        pytest.param([0, 1, 2], 3, 3, id="today counts"),
        pytest.param([1, 2], 2, 2, id="a running day does not end a streak"),
        pytest.param([2, 3, 4], 0, 3, id="a missed day does"),
        pytest.param([0, 2, 3], 1, 2, id="after a gap"),
        pytest.param([-1, 0], 1, 1, id="tomorrow is passed over"),
    ],
)
def test_runs_of_days(days_ago, current, longest):
    found = streak(watched(*days_ago))
    assert (found.current, found.longest) == (current, longest)


def test_the_running_day():
    assert streak(watched(0, count=29.99)) == Streak("day", 30, 29, met=False, current=0, longest=0)
    assert streak(watched(0, 0, count=15)) == Streak("day", 30, 15, met=False, current=0, longest=0)
    assert streak([*watched(0, count=15), minutes(15, item="x")]) == Streak(
        "day", 30, 30, met=True, current=1, longest=1
    )


def test_backfilling_closes_the_gap_whatever_the_order():
    late = watched(2, 3)
    assert streak(watched(0, 1, 4, 5)).current == 2
    rows = [*watched(0, 1, 4, 5), *late, *late]
    random.Random(5).shuffle(rows)
    assert (streak(rows).current, streak(rows).longest) == (6, 6)


def test_weeks_run_from_monday():
    weekly = Goal("week", 60, LONG_AGO)
    # Monday of this week, Sunday and Monday of the last, Thursday two weeks ago.
    assert streak(watched(2, 3, 9, 13), weekly) == Streak("week", 60, 30, met=False, current=1, longest=1)
    assert streak(watched(1, 2, 3, 9), weekly) == Streak("week", 60, 60, met=True, current=2, longest=2)


def test_a_new_goal_does_not_rewrite_the_past():
    raised = Goal("day", 60, TODAY)
    found = streak(watched(0, 1, 2), DAILY, raised)
    assert found == streak(watched(0, 1, 2), raised, DAILY)
    assert found == Streak("day", 60, 30, met=False, current=2, longest=2)


def test_days_before_the_first_goal_are_judged_by_it():
    assert streak(watched(0, 1, 2), Goal("day", 30, TODAY)).current == 3


def test_a_week_is_judged_by_the_goal_set_in_it():
    goals = (Goal("week", 1000, LONG_AGO), Goal("week", 30, TODAY))
    assert streak(watched(2, 9), *goals) == Streak("week", 30, 30, met=True, current=1, longest=1)


def test_one_streak_a_period_days_first():
    found = streaks(daily(watched(0)), (Goal("week", 30, TODAY), DAILY), TODAY)
    assert [found_streak.period for found_streak in found] == ["day", "week"]


def test_a_goal_is_at_least_a_minute():
    with pytest.raises(ValueError, match="0 minutes"):
        Goal("day", 0, TODAY)
