"""Ranges of days."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.partitions import contiguous

DAYS = st.sets(st.dates(date(2020, 1, 1), date(2020, 2, 1)))


@given(DAYS)
def test_ranges_cover_exactly_the_days_and_never_touch(days):
    ranges = list(contiguous(days))
    covered = [first + timedelta(days=n) for first, last in ranges for n in range((last - first).days + 1)]
    assert covered == sorted(days)
    assert all(after[0] - before[1] > timedelta(days=1) for before, after in pairwise(ranges))
