"""What a page is made of: headline tiles and cards, each a figure with its definition, source and numbers as a table.

Plain data for the templates; what a particular page holds is decided beside it (`qoe_page`, `progress_page`, …).
"""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme, wording
from dashboards.catalogue import METRICS


@dataclass(frozen=True)
class Column:
    """A table column: `numeric` ones stand right, `code` ones have a fixed-width face, `brief` ones never break.

    Cells of a `metric` column are names of metrics, printed as titles that lead to their definitions.
    """

    title: str
    numeric: bool = False
    code: bool = False
    brief: bool = False
    metric: bool = False


@dataclass(frozen=True)
class Table:
    """A table of text, ready to print; the first cell of a row heads it."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...] = ()
    """For each row the line that asks for the sessions behind it, where there is one."""


@dataclass(frozen=True)
class Card:
    """One figure, or in its absence a sentence why there is none."""

    anchor: str
    title: str
    definition: str
    source: str
    metrics: tuple[str, ...] = ()
    """What is shown, by name: each leads to its definition."""
    figure: go.Figure | None = None
    description: str = ""
    """What the figure shows, for those who cannot see it."""
    absent: str = "Not measured in these sessions."
    note: str = ""
    table: Table | None = None
    wide: bool = False


@dataclass(frozen=True)
class Tile:
    """One headline number; `known` is False where only a reason stands in its place."""

    metric: str
    title: str
    value: str
    count: str
    interval: str = ""
    known: bool = True
    more: str = ""
    line: str = ""
    """Asks for the sessions behind it, where there is one."""


@dataclass(frozen=True)
class Definition:
    """One line of the footer's list of metrics."""

    name: str
    title: str
    text: str
    source: str


@dataclass(frozen=True)
class Section:
    """A heading, its name in the page's navigation, and its cards."""

    anchor: str
    title: str
    short: str
    cards: tuple[Card, ...]
    lead: str = ""


def estimates_table(frame: pl.DataFrame, column: str, heading: str, caption: str) -> Table:
    """Return [column, metric, value, low, high, n] as a table with an interval and n beside every value."""
    return Table(
        caption=caption,
        columns=(
            Column(heading),
            Column("Metric", metric=True),
            Column("Value", numeric=True),
            Column("95 % interval", numeric=True),
            Column("n", numeric=True),
        ),
        rows=tuple(_estimate_row(row, column) for row in frame.to_dicts()),
    )


def _estimate_row(row: dict[str, Any], column: str) -> tuple[str, ...]:
    metric = METRICS[row["metric"]]
    between = "–" if row["low"] is None else numbers.interval(row["low"], row["high"], metric.unit)
    value = numbers.estimate(row["value"], row["n"], metric.unit)
    return segment_name(row[column]), metric.name, value, between, f"{row['n']:,}"


def segment_name(value: object) -> str:
    """Return a day or a sender's text as a table prints it."""
    if value is None:
        return "not sent"
    return theme.plain(value) if isinstance(value, str) else str(value)


def extremes(frame: pl.DataFrame, column: str, metric: str) -> str:
    """Return a sentence with the lowest and the highest value of a metric, for a figure's description."""
    known = frame.filter((pl.col("metric") == metric) & pl.col("value").is_not_null()).sort("value")
    if known.is_empty():
        return f"{METRICS[metric].title}: no values."
    ends = [
        f"{word} {wording.figure(row)} ({segment_name(row[column])})"
        for word, row in (("lowest", known.row(0, named=True)), ("highest", known.row(-1, named=True)))
    ]
    return f"{METRICS[metric].title}: {'; '.join(ends)}. All values are in the table that follows."


def measured(frame: pl.DataFrame, *metrics: str) -> pl.DataFrame:
    """Return the rows of these metrics that any session entered, with or without a value."""
    return frame.filter(pl.col("metric").is_in(metrics) & (pl.col("n") > 0))


def absence(frame: pl.DataFrame, *metrics: str) -> str:
    """Return the sentence that stands in place of a figure without points."""
    few = len(measured(frame, *metrics))
    return "Too few sessions in any one of these for an interval." if few else "Not measured in these sessions."
