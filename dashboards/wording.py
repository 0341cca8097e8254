"""Estimates and differences in a line of words, each with its interval and n, for pages and notebooks alike."""

from typing import Any

from dashboards import numbers
from dashboards.catalogue import METRICS


def estimate(row: dict[str, Any]) -> str:
    """Word a row of [metric, value, low, high, n]."""
    metric = METRICS[row["metric"]]
    text = f"{metric.title}: {numbers.estimate(row['value'], row['n'], metric.unit)}"
    if row["value"] is None:
        return f"{text}, n = {row['n']:,}"
    return f"{text}, 95 % interval {numbers.bounds(row['low'], row['high'], metric.unit)}, n = {row['n']:,}"


def sides(row: dict[str, Any]) -> str:
    """Word both sides of a row of `dashboards.comparison.SCHEMA`; never print them without `difference`."""
    metric = METRICS[row["metric"]]
    here, rest = numbers.number(row["here"], metric.unit), numbers.number(row["rest"], metric.unit)
    return f"{metric.title} {here}, the rest {rest}"


def difference(row: dict[str, Any]) -> str:
    """Word the difference of a row of `dashboards.comparison.SCHEMA`, with its interval."""
    unit = numbers.difference_unit(METRICS[row["metric"]].unit)
    value = numbers.number(row["difference"], unit)
    return f"difference {value} (interval {numbers.interval(row['low'], row['high'], unit)})"
