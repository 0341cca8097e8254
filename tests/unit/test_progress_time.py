"""Progress and time: local days across daylight saving, quarters, trend, truncation; each at a fixed clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.watch_frames import AUCKLAND, NOW, episode, minutes, progress_at
from warehouse.metrics import quarters


def local(*when):
    return datetime(*when, tzinfo=AUCKLAND)


def active(found):
    return {day.days_ago: day.minutes_watched for day in found.daily_activity if day.minutes_watched}


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(local(2026, 3, 18, 14, 30), id="summer"),
        pytest.param(local(2026, 4, 5, 12), id="the day of 25 hours, when daylight saving ends"),
        pytest.param(local(2025, 9, 28, 12), id="the day of 23 hours, when daylight saving starts"),
    ],
)
def test_today_begins_at_local_midnight(now):
    midnight = now.replace(hour=0, minute=0).astimezone(UTC)
    rows = [episode("f", "before", midnight - timedelta(seconds=1)), episode("f", "at", midnight)]
    found = progress_at(now, *rows)
    assert (found.episodes_watched_today, active(found)) == (1, {0: 20, 1: 20})


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [(local(2026, 4, 5), 25), (local(2025, 9, 28), 23), (local(2026, 4, 4), 24)],
    ids=["daylight saving ends", "daylight saving starts", "no change"],
)
def test_a_local_day_has_23_24_or_25_hours(midnight, hours):
    start = midnight.astimezone(UTC)
    rows = [minutes(30, start + timedelta(hours=hour, minutes=59)) for hour in range(-1, hours + 1)]
    noon = (midnight + timedelta(hours=36)).replace(hour=12)
    assert active(progress_at(noon, *rows)) == {2: 30, 1: 30 * hours, 0: 30}


@pytest.mark.parametrize("change", [local(2026, 4, 5), local(2025, 9, 28)], ids=["end", "start"])
def test_seven_days_are_local_days_and_the_trend_is_168_hours(change):
    """Three days after a change, the local hour of 7 x 24 h ago is another than now's."""
    now = change.replace(hour=12) + timedelta(days=3)
    begin = now.astimezone(UTC) - timedelta(hours=168)
    first = minutes(0, begin - timedelta(days=93))
    inside, outside = minutes(60, begin + timedelta(seconds=1)), minutes(60, begin)
    assert progress_at(now, first, outside).weekly_trend_percentage == -100.0
    assert progress_at(now, first, inside).weekly_trend_percentage > 1000
    oldest = (now - timedelta(days=6)).replace(hour=0)
    assert active(progress_at(now, minutes(7, oldest), minutes(8, oldest.astimezone(UTC) - timedelta(seconds=1)))) == {
        6: 7
    }


def test_a_user_has_days_of_their_own_zone():
    now = datetime(2026, 3, 18, 1, 30, tzinfo=UTC)
    row = episode("f", "x", datetime(2026, 3, 17, 12, tzinfo=UTC))
    assert active(progress_at(now, row)) == {0: 20}
    assert active(progress_at(now, row, zone=ZoneInfo("Europe/Berlin"))) == {1: 20}
    assert active(progress_at(now, row, zone=ZoneInfo("America/Los_Angeles"))) == {0: 20}


def test_quarters_are_named_by_their_first_month_and_run_from_first_to_last_watch():
    rows = [minutes(90, local(2025, 3, 31, 23, 59)), minutes(29, local(2025, 4, 1)), minutes(61, local(2026, 1, 2))]
    points = progress_at(local(2027, 5, 1), *rows).to_dict()["all_time_progress"]
    labels = ["Jan 2025", "Apr 2025", "Jul 2025", "Oct 2025", "Jan 2026"]
    assert points == [
        {"label": label, "cumulative_hours": hours} for label, hours in zip(labels, [1, 1, 1, 1, 3], strict=True)
    ]


@pytest.mark.parametrize("month", range(1, 13))
def test_quarter_labels(month):
    name = ["Jan", "Apr", "Jul", "Oct"][(month - 1) // 3]
    assert quarters.label(quarters.quarter_of(date(2026, month, 28))) == f"{name} 2026"


@pytest.mark.parametrize(("when", "label"), [(local(2026, 6, 30, 23), "Apr 2026"), (local(2026, 7, 1), "Jul 2026")])
def test_without_data_this_local_quarter_has_no_hours(when, label):
    assert progress_at(when.astimezone(UTC)).to_dict()["all_time_progress"] == [{"label": label, "cumulative_hours": 0}]


@pytest.mark.parametrize(
    ("since", "days"),
    [
        (timedelta(hours=23, minutes=59), 0),
        (timedelta(days=1), 1),
        (timedelta(days=14), 14),
        (timedelta(days=14, seconds=-1), 13),
        (timedelta(hours=-1), 0),
    ],
)
def test_days_since_the_first_are_whole_24_hours_of_any_kind(since, days):
    assert progress_at(NOW, minutes(1, NOW - since), episode("f", "x")).days_since_first_episode == days


@pytest.mark.parametrize("history", [timedelta(days=13, hours=23, minutes=59), timedelta(0), timedelta(days=6)])
def test_no_trend_under_14_days(history):
    assert progress_at(NOW, minutes(600, NOW - history), minutes(5)).weekly_trend_percentage is None


@pytest.mark.parametrize(
    ("first", "last", "days", "trend"),
    [
        pytest.param(100, 0, 14, -100.0, id="nothing in the last week"),
        pytest.param(0, 100, 14, 100.0, id="everything in the last of two weeks"),
        pytest.param(100, 200, 21, 100.0, id="twice the lifetime average"),
        pytest.param(50, 50, 14, 0.0, id="as always"),
        pytest.param(0, 0, 14, None, id="no minutes in a lifetime"),
        pytest.param(90, 30, 28, 0.0, id="a quarter of four weeks"),
        pytest.param(0, 10, 7 * 52, 5100.0, id="a comeback"),
    ],
)
def test_trend_against_the_lifetime_weekly_average(first, last, days, trend):
    found = progress_at(NOW, minutes(first, NOW - timedelta(days=days)), minutes(last, item="last"))
    assert found.weekly_trend_percentage == trend


@pytest.mark.parametrize(("seconds", "whole_minutes", "hours"), [(3599, 59, 0), (3600, 60, 1), (7199, 119, 1)])
def test_minutes_and_hours_are_truncated_after_summing(seconds, whole_minutes, hours):
    found = progress_at(NOW, *(minutes(1 / 60, item=f"{i}") for i in range(seconds % 60)), minutes(seconds // 60))
    assert (found.daily_activity[-1].minutes_watched, found.total_hours_watched) == (whole_minutes, hours)
    assert found.all_time_progress[-1].cumulative_hours == hours


def test_a_watch_dated_tomorrow_counts_in_the_totals_only():
    found = progress_at(NOW, episode("f", "x", NOW + timedelta(days=1)))
    assert (found.total_episodes_watched, found.episodes_watched_today, active(found)) == (1, 0, {})
