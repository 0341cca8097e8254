"""More than before, or not: whole weeks, their interval, and when nothing is said."""

import random
from datetime import date, timedelta

import pytest

from tests.unit.watch_frames import NOW, daily, minutes
from warehouse.metrics.habit import change

TODAY = date(2026, 3, 18)
MONDAY = date(2026, 3, 16)


def weeks(*hours: float) -> list[dict[str, object]]:
    """A video a week, on its Wednesday, the last of them in the week before the running one."""
    at = [NOW - timedelta(weeks=ago) for ago in range(len(hours), 0, -1)]
    return [minutes(60 * amount, day) for amount, day in zip(hours, at, strict=True)]


def test_the_last_weeks_are_set_against_as_many_before() -> None:
    # The first week began on its Wednesday, so that it is no whole one.
    found = change(daily(weeks(9, 1, 2, 1, 2, 3, 4, 3, 4)), TODAY)
    assert found
    assert (found.weeks, found.first_week) == (4, MONDAY - timedelta(weeks=8))
    assert (found.before_h, found.recent_h, found.difference_h) == (1.5, 3.5, 2.0)
    assert found.low_h is not None
    # Student's t with 6 degrees of freedom, and a pooled variance of 1/3.
    assert found.low_h == pytest.approx(2 - 2.447 * (1 / 3 * 2 / 4) ** 0.5, abs=0.005)


def test_the_running_week_and_the_future_do_not_count() -> None:
    rows = weeks(9, 1, 2, 1, 2, 3, 4, 3, 4)
    later = [minutes(600, NOW), minutes(600, NOW + timedelta(days=30))]
    assert change(daily([*rows, *later]), TODAY) == change(daily(rows), TODAY)


def test_too_few_weeks_say_nothing() -> None:
    assert change(daily([]), TODAY) is None
    assert change(daily(weeks(1, 2, 1, 2, 1, 2, 1, 2)), TODAY) is None
    assert change(daily([minutes(5, NOW + timedelta(days=9))]), TODAY) is None


def test_weeks_that_do_not_differ_have_no_interval() -> None:
    found = change(daily(weeks(1, *[1] * 8)), TODAY)
    assert found
    assert (found.difference_h, found.low_h, found.high_h) == (0, None, None)


def test_after_a_pause_there_is_an_interval() -> None:
    found = change(daily(weeks(9, 0, 0, 0, 0, 3, 4, 3, 4)), TODAY)
    assert found
    assert found.low_h is not None
    assert found.low_h > 2


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    draw = random.Random(5)
    held = 0
    for _ in range(200):
        found = change(
            daily(weeks(1, *[draw.gauss(5, 1) for _ in range(12)], *[draw.gauss(6, 1) for _ in range(12)])), TODAY
        )
        assert found
        assert found.low_h is not None
        assert found.high_h is not None
        held += found.low_h <= 1 <= found.high_h
    assert held >= 184
