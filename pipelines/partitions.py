"""How assets are partitioned. One definition each, used by every asset of that shape."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

DAYS = dg.DailyPartitionsDefinition(start_date="2005-01-01", end_offset=2)
"""UTC days of session start. A start before 2005 is placed by arrival; one may lie up to a day ahead of it."""


def contiguous(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last day of each unbroken run of days."""
    first = last = None
    for day in sorted(set(days)):
        if last is not None and day == last + timedelta(days=1):
            last = day
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = day
    if first is not None and last is not None:
        yield first, last


def range_tags(first: date, last: date) -> dict[str, str]:
    """Return the run tags by which one run covers all days from first to last."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """Return the days that a run was asked for."""
    return [datetime.strptime(key, DAYS.fmt).replace(tzinfo=UTC).date() for key in context.partition_keys]
