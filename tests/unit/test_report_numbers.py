from datetime import UTC, date, datetime

import pytest

from dashboards import numbers
from dashboards.catalogue import Unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.234, "pct", "1.23 %"),
        (12.34, "pct", "12.3 %"),
        (0.0, "pct", "0.00 %"),
        (845.2, "ms", "845 ms"),
        (1234.0, "ms", "1.23 s"),
        (61_234.0, "ms", "61.2 s"),
        (3_420_000.0, "bps", "3.42 Mbit/s"),
        (640_000.0, "bps", "640 kbit/s"),
        (8731, "count", "8,731"),
        (1860.6, "hours", "1,861 h"),
        (88.76, "score", "88.8"),
        (-0.5, "points", "−0.50 points"),
        (-0.001, "points", "0.00 points"),
        (2.468, "per_hour", "2.47 /h"),
    ],
)
def test_numbers_carry_their_unit(value: float, unit: Unit, text: str) -> None:
    assert numbers.number(value, unit) == text.replace(" ", "\u00a0")


def test_both_ends_of_an_interval_are_in_one_unit() -> None:
    assert numbers.interval(900, 1100, "ms") == "0.90–1.10\u00a0s"
    assert numbers.interval(-0.1, 0.3, "points") == "−0.10 to 0.30\u00a0points"


def test_without_a_value_the_reason_stands_in_its_place() -> None:
    assert numbers.estimate(None, 0, "pct") == "not measured"
    assert numbers.estimate(None, 19, "pct") == "too few"
    assert numbers.bounds(None, None, "pct") == "none, the sessions do not differ"


def test_days_and_periods() -> None:
    assert numbers.period(date(2026, 3, 3), date(2026, 3, 16)) == "3 Mar – 16 Mar 2026"
    assert numbers.period(date(2025, 12, 30), date(2026, 1, 2)) == "30 Dec 2025 – 2 Jan 2026"
    assert numbers.period(date(2026, 3, 3), date(2026, 3, 3)) == "Tue 3 Mar 2026"
    assert numbers.moment(datetime(2026, 3, 3, 4, 5, tzinfo=UTC)) == "2026-03-03 04:05 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (59, "0 min"), (3599, "59 min"), (3600, "1 h"), (4500, "1 h 15 min"), (363_599, "100 h")],
)
def test_durations_are_truncated(seconds: int, text: str) -> None:
    assert numbers.duration(seconds) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(("value", "text"), [(12.34, "+12.3 %"), (-4.5, "−4.50 %"), (0.001, "0.00 %")])
def test_a_change_has_a_sign(value: float, text: str) -> None:
    assert numbers.signed(value, "pct") == text.replace(" ", "\u00a0")
