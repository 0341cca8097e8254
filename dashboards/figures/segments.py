"""Contents, stream types, releases, devices side by side: one point and its interval a segment, worst first."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme
from dashboards.catalogue import METRICS
from dashboards.figures.points import Row, bars, drawable, highest, hover, unit_of
from dashboards.numbers import Scale

LIMIT = 20
_ROW_HEIGHT = {1: 30, 2: 38}
_CHROME_HEIGHT = 56
_LEGEND_HEIGHT = 28
_LABEL_LENGTH = 22
_HOVER_LENGTH = 60
_COLOURS = (theme.LIGHT.main, theme.LIGHT.alert)
_SYMBOLS = ("circle", "diamond")
_SPREAD = 0.34


def surest(frame: pl.DataFrame, column: str, metrics: Sequence[str], *, limit: int = LIMIT) -> pl.DataFrame:
    """Return the rows of `metrics` for the `limit` segments surest to be bad, by their highest value, worst first.

    Surest are those whose interval begins highest, in whichever of the metrics; ranking by the value instead would
    fill the list with segments of a handful of sessions. Where no interval is known the value itself counts as its
    begin. `frame` has [column, metric, value, low, high, n]; segments without any value are left out.
    """
    known = frame.filter(pl.col("metric").is_in(metrics) & pl.col("value").is_not_null())
    rows = known.with_columns(
        begin=pl.coalesce("low", "value").max().over(column), peak=pl.col("value").max().over(column)
    )
    chosen = rows.select(column, "begin").unique().sort("begin", column, descending=[True, False]).head(limit)
    rows = rows.join(chosen.select(column), on=column, how="semi", nulls_equal=True)
    order = pl.col("metric").cast(pl.Enum(list(metrics)))
    return rows.sort("peak", column, order, descending=[True, False, False]).drop("begin", "peak")


def ranked(frame: pl.DataFrame, column: str, metrics: Sequence[str], *, overall: float | None = None) -> go.Figure:
    """Draw one or two metrics of one unit for each segment, a point and its 95 % interval each.

    `frame` has [column, metric, value, low, high, n]; segments keep the order in which they first appear, first on
    top. `overall`, in the metric's unit, is drawn as a line to compare with.
    """
    names = list(dict.fromkeys(frame[column].to_list()))
    rows = drawable(frame.filter(pl.col("metric").is_in(metrics)))
    scale = numbers.scale(unit_of(metrics[0]), highest(rows))
    figure = _frame(names, scale, metrics=len(metrics))
    for index, metric in enumerate(metrics):
        offset = (index - (len(metrics) - 1) / 2) * _SPREAD
        places = {name: at + offset for at, name in enumerate(names)}
        chosen = [row for row in rows if row["metric"] == metric]
        figure.add_scatter(
            **_points(chosen, column, places, scale, index),
            name=METRICS[metric].title,
            showlegend=bool(chosen),
            hovertext=[hover(theme.label(row[column], _HOVER_LENGTH), row, metric) for row in chosen],
        )
    if overall is not None:
        _add_line(figure, overall / scale.divisor)
    return figure


def differences(frame: pl.DataFrame, column: str, metric: str) -> go.Figure:
    """Draw differences of a metric, a point and its interval for each segment, and a line at no difference.

    `frame` has [column, value, low, high, n], value, low and high being differences; it keeps its order.
    """
    rows = drawable(frame)
    names = [row[column] for row in rows]
    unit = unit_of(metric, difference=True)
    scale = numbers.scale(unit, max(highest(rows), -min((row["value"] - row["down"] for row in rows), default=0.0)))
    figure = _frame(names, scale, metrics=1)
    texts = [hover(theme.label(row[column], _HOVER_LENGTH), row, metric, difference=True) for row in rows]
    places = {name: float(at) for at, name in enumerate(names)}
    figure.add_scatter(**_points(rows, column, places, scale, 0), hovertext=texts)
    _add_line(figure, 0.0)
    return figure


def _frame(names: Sequence[str | None], scale: Scale, *, metrics: int) -> go.Figure:
    legend = _LEGEND_HEIGHT if metrics > 1 else 0
    figure = theme.figure(height=_CHROME_HEIGHT + legend + _ROW_HEIGHT[metrics] * len(names))
    figure.update_xaxes(rangemode="tozero", ticksuffix=scale.suffix, showticksuffix="last", nticks=6, zeroline=False)
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5],
        tickvals=list(range(len(names))),
        ticktext=[theme.label(name, _LABEL_LENGTH) for name in names],
        tickfont={"color": theme.LIGHT.ink},
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(showlegend=metrics > 1, margin={"t": 12 + legend})
    return figure


def _points(
    rows: Sequence[Row], column: str, places: Mapping[str | None, float], scale: Scale, index: int
) -> dict[str, object]:
    return {
        "x": [row["value"] / scale.divisor for row in rows],
        "y": [places[row[column]] for row in rows],
        "mode": "markers",
        "cliponaxis": False,
        "marker": {"color": _COLOURS[index], "size": 9, "symbol": _SYMBOLS[index]},
        "error_x": bars(rows, scale, _COLOURS[index], width=0),
        "hoverinfo": "text",
    }


def _add_line(figure: go.Figure, at: float) -> None:
    figure.add_vline(x=at, line={"color": theme.LIGHT.muted, "width": 1, "dash": "dot"})
