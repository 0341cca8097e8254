"""Calendar quarters: their first days, their labels, and cumulative hours by quarter."""

from collections.abc import Iterator, Mapping
from datetime import date

_MONTHS = {1: "Jan", 4: "Apr", 7: "Jul", 10: "Oct"}
"""The tracker's labels are English whatever the locale."""


def quarter_of(day: date) -> date:
    """Return the first day of the quarter of `day`."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def label(quarter: date) -> str:
    """Return the name of a quarter by its first month, as "Jan 2026"; `quarter` is its first day."""
    return f"{_MONTHS[quarter.month]} {quarter.year}"


def cumulative_hours(seconds: Mapping[date, int]) -> list[tuple[date, int]]:
    """Return one (quarter, whole hours so far) for every quarter from the first to the last of `seconds`.

    `seconds` maps local days, or any days of the same quarters, to what was watched on them. Hours are truncated, not
    rounded; a quarter without watches repeats the hours before it.
    """
    watched: dict[date, int] = {}
    for day, amount in seconds.items():
        quarter = quarter_of(day)
        watched[quarter] = watched.get(quarter, 0) + amount
    total, points = 0, []
    for quarter in _quarters(min(watched), max(watched)) if watched else ():
        total += watched.get(quarter, 0)
        points.append((quarter, total // 3600))
    return points


def _quarters(first: date, last: date) -> Iterator[date]:
    quarter = first
    while quarter <= last:
        yield quarter
        quarter = quarter.replace(month=quarter.month + 3) if quarter.month < 10 else date(quarter.year + 1, 1, 1)
