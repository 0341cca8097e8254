"""One metric by day, with its interval as a band. Which days stand apart is decided in `warehouse.metrics.odd_days`."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme
from dashboards.catalogue import METRICS
from dashboards.figures.points import Row, bars, drawable, highest, hover
from dashboards.numbers import Scale

_A_DAY = timedelta(days=1)


def trend(daily: pl.DataFrame, metric: str, *, marked: Collection[object] = (), height: int = 240) -> go.Figure:
    """Draw `metric` by day: a line through the values, a band between low and high, marked days apart in colour.

    `daily` has [day, metric, value, low, high, n]; other metrics in it are ignored. A day without a value is a gap,
    and a day between two gaps shows its interval as a bar. `marked` holds dates.
    """
    chosen = daily.filter(pl.col("metric") == metric).sort("day")
    rows = drawable(chosen)
    scale = numbers.scale(METRICS[metric].unit, highest(rows))
    figure = theme.figure(height=height)
    for run in _runs(rows):
        _add_run(figure, run, scale, metric)
    odd = [row for row in rows if row["day"] in marked]
    if odd:
        _add_marks(figure, odd, scale, metric)
    from_zero = "normal" if METRICS[metric].better == "higher" else "tozero"
    figure.update_yaxes(rangemode=from_zero, ticksuffix=scale.suffix, nticks=6)
    figure.update_xaxes(type="date", tickformat="%-d %b", nticks=5, showgrid=False, range=_span(chosen))
    return figure


def _runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    run: list[Row] = []
    for row in rows:
        if run and row["day"] - run[-1]["day"] > _A_DAY:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _add_run(figure: go.Figure, run: Sequence[Row], scale: Scale, metric: str) -> None:
    days = [row["day"].isoformat() for row in run]
    alone = len(run) == 1
    if not alone:
        high = [(row["value"] + row["up"]) / scale.divisor for row in run]
        low = [(row["value"] - row["down"]) / scale.divisor for row in run]
        figure.add_scatter(
            x=days + days[::-1],
            y=high + low[::-1],
            fill="toself",
            fillcolor=theme.LIGHT.band,
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=days,
        y=[row["value"] / scale.divisor for row in run],
        mode="lines+markers",
        line={"color": theme.LIGHT.main, "width": 2},
        marker={"color": theme.LIGHT.main, "size": 6},
        error_y=bars(run, scale, theme.LIGHT.main, width=4) if alone else None,
        hovertext=[hover(numbers.day(row["day"]), row, metric) for row in run],
        hoverinfo="text",
    )


def _add_marks(figure: go.Figure, rows: Sequence[Row], scale: Scale, metric: str) -> None:
    figure.add_scatter(
        x=[row["day"].isoformat() for row in rows],
        y=[row["value"] / scale.divisor for row in rows],
        mode="markers",
        marker={"color": theme.LIGHT.alert, "size": 11, "symbol": "diamond"},
        error_y=bars(rows, scale, theme.LIGHT.alert, width=4),
        hovertext=[f"{hover(numbers.day(row['day']), row, metric)}<br>stands apart from other days" for row in rows],
        hoverinfo="text",
    )


def _span(rows: pl.DataFrame) -> list[str] | None:
    if rows.is_empty():
        return None
    first, last = rows["day"][0], rows["day"][-1]
    return [f"{first - _A_DAY}T12:00", f"{last}T12:00"]
