"""Which days stand apart from the others, by their own values alone. How they are drawn is not decided here."""

from collections.abc import Iterator
from datetime import date
from statistics import NormalDist, median

import polars as pl

FEWEST_DAYS = 5
"""Below this many days with a value there is no usual day to differ from."""
ROBUST_SDS = 3.0
_MAD_TO_SD = 1.4826
_Z = NormalDist().inv_cdf(0.975)

RULE = (
    "A diamond marks a day whose interval, widened for the number of days, leaves out the median day, and which lies "
    "over 3 robust standard deviations (1.48 × the median absolute deviation) from it."
)


def odd_days(daily: pl.DataFrame) -> pl.DataFrame:
    """Return the days that stand apart as [metric, day], from [day, metric, value, low, high, n].

    Both halves of `RULE` are needed: with many sessions every day differs from the median by more than chance, and
    with few a day may lie far off by chance alone.
    """
    known = daily.drop_nulls(["value", "low", "high"])
    found = [
        (metric, day)
        for (metric,), rows in known.group_by("metric", maintain_order=True)
        for day in _odd(rows.select("day", "value", "low", "high").rows())
    ]
    return pl.DataFrame(found, schema={"metric": pl.String(), "day": pl.Date()}, orient="row")


def _odd(rows: list[tuple[date, float, float, float]]) -> Iterator[date]:
    if len(rows) < FEWEST_DAYS:
        return
    usual = median(value for _, value, _, _ in rows)
    spread = _MAD_TO_SD * median(abs(value - usual) for _, value, _, _ in rows)
    widening = NormalDist().inv_cdf(1 - 0.025 / len(rows)) / _Z
    for day, value, low, high in rows:
        reach = widening * (high - value if value < usual else value - low)
        if abs(value - usual) > max(reach, ROBUST_SDS * spread):
            yield day
