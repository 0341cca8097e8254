"""What every point with an interval shares: where its bar is drawn and what is said over it."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from dashboards import numbers
from dashboards.catalogue import METRICS, Unit
from dashboards.numbers import Scale

Row = dict[str, Any]


def drawable(frame: pl.DataFrame) -> list[Row]:
    """Return the rows of [..., value, low, high, n] that have a value, with `up` and `down`, the lengths of its bar.

    Where no interval is known both are 0: the point stands alone, and its hover text says so.
    """
    known = frame.filter(pl.col("value").is_not_null())
    up = (pl.col("high") - pl.col("value")).fill_null(0.0).clip(lower_bound=0.0)
    down = (pl.col("value") - pl.col("low")).fill_null(0.0).clip(lower_bound=0.0)
    return known.with_columns(up.alias("up"), down.alias("down")).to_dicts()


def unit_of(metric: str, *, difference: bool = False) -> Unit:
    """Return the unit in which a metric, or a difference of it, is drawn."""
    unit = METRICS[metric].unit
    return numbers.difference_unit(unit) if difference else unit


def highest(rows: Sequence[Row]) -> float:
    """Return the highest end of any interval, 0 without rows: what a scale is chosen by."""
    return max((row["value"] + row["up"] for row in rows), default=0.0)


def bars(rows: Sequence[Row], scale: Scale, colour: str, *, width: int) -> dict[str, object]:
    """Return Plotly's error bars for the rows, asymmetric, with caps of `width` pixels."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [row["up"] / scale.divisor for row in rows],
        "arrayminus": [row["down"] / scale.divisor for row in rows],
        "color": colour,
        "thickness": 2,
        "width": width,
    }


def hover(heading: str, row: Row, metric: str, *, difference: bool = False) -> str:
    """Return the text over a point: what it is, value, interval, n. `heading` must be safe to draw."""
    unit = unit_of(metric, difference=difference)
    title = f"Difference in {METRICS[metric].title.lower()}" if difference else METRICS[metric].title
    return (
        f"<b>{heading}</b><br>{title} {numbers.number(row['value'], unit)}"
        f"<br>95 % interval {numbers.bounds(row['low'], row['high'], unit)}<br>n = {row['n']:,}"
    )
