"""Estimates and differences in a line of words, each with its interval and n, for pages and notebooks alike."""

from typing import Any

from dashboards import numbers
from dashboards.catalogue import METRICS


def estimate(row: dict[str, Any]) -> str:
    """Word a row of [metric, value, low, high, n]."""
    return f"{METRICS[row['metric']].title}: {figure(row)}"


def figure(row: dict[str, Any]) -> str:
    """Word the same row without the metric's title."""
    unit = METRICS[row["metric"]].unit
    text = numbers.estimate(row["value"], row["n"], unit)
    if row["value"] is None:
        return f"{text}, n = {row['n']:,}"
    return f"{text}, 95 % interval {numbers.bounds(row['low'], row['high'], unit)}, n = {row['n']:,}"


def sides(row: dict[str, Any], here: str = "here", rest: str = "rest") -> str:
    """Word both sides of a comparison, each with its interval and n; never print them without `difference`.

    `row` is one of `warehouse.metrics.comparison.against_rest`, or of `compare` with "a" and "b" for the sides.
    """
    first, second = ("n", "rest_n") if here == "here" else (f"n_{here}", f"n_{rest}")
    return f"{_side(row, here, first)}; the rest {_side(row, rest, second)}"


def _side(row: dict[str, Any], side: str, n: str) -> str:
    unit = METRICS[row["metric"]].unit
    between = numbers.interval(row[f"{side}_low"], row[f"{side}_high"], unit)
    return f"{numbers.number(row[side], unit)} (interval {between}, n = {row[n]:,})"


def difference(row: dict[str, Any]) -> str:
    """Word the difference of a comparison, with its interval and p-value, adjusted where it was."""
    unit = numbers.difference_unit(METRICS[row["metric"]].unit)
    value = numbers.number(row["difference"], unit)
    chance = numbers.p_value(row.get("p_adjusted", row["p_value"]))
    return f"difference {value} (interval {numbers.interval(row['low'], row['high'], unit)}, {chance})"
