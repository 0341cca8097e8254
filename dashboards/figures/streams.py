"""A live stream: messages, viewers or sentiment by the minute with its moments marked, and emotes by use."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme

Row = dict[str, Any]

SERIES = {
    "chat_rate": ("messages a second", theme.LIGHT.main),
    "avg_viewers": ("viewers", theme.LIGHT.playback),
    "avg_sentiment": ("sentiment, -1 to 1", theme.LIGHT.strong),
}
"""Columns of `OUT_CHAT_MINUTE` that are drawn: what they are called, and their colour."""

_BOUNDS: dict[str, pl.DataType] = {"low": pl.Float64(), "high": pl.Float64(), "n": pl.Int64()}
_ROW_HEIGHT = 30
_CHROME_HEIGHT = 56
_LABEL_LENGTH = 24

METRIC_OF = {"chat_rate": "chat_spike", "avg_viewers": "viewer_spike", "avg_sentiment": "sentiment_shift"}


def by_minute(
    minutes: pl.DataFrame,
    moments: pl.DataFrame,
    column: str,
    *,
    means: pl.DataFrame | None = None,
    height: int = 240,
) -> go.Figure:
    """Draw a column of one stream's `OUT_CHAT_MINUTE`, with its moments of that metric from `OUT_MOMENTS`.

    A minute without a value leaves a gap. `means`, as of `stream_summary.minute_means`, draws a band of its bounds and
    tells them with n under the pointer.
    """
    title, colour = SERIES[column]
    rows = minutes.sort("window_start").upsample("window_start", every="1m")
    if means is None:
        means = pl.DataFrame(schema={"window_start": rows.schema["window_start"], **_BOUNDS})
    known = rows.join(means.select("window_start", *_BOUNDS), on="window_start", how="left", maintain_order="left")
    figure = theme.figure(height=height)
    for run in _runs(known.to_dicts()):
        figure.add_scatter(**_band(run))
    figure.add_scatter(
        x=[_text(at) for at in known["window_start"]],
        y=known[column].to_list(),
        mode="lines",
        line={"color": colour, "width": 1.8},
        hovertext=[_hover(row, column, title) for row in known.to_dicts()],
        hoverinfo="text",
    )
    _mark(figure, moments.filter(pl.col("moment_type") == METRIC_OF[column]).sort("detected_at"))
    figure.update_layout(hovermode="x")
    figure.update_xaxes(type="date", tickformat="%H:%M", nticks=8)
    figure.update_yaxes(nticks=5, rangemode="normal" if column == "avg_sentiment" else "tozero")
    return figure


def emotes(uses: Sequence[tuple[str, int]]) -> go.Figure:
    """Draw (emote, uses) as bars in the given order, the first on top."""
    figure = theme.figure(height=_CHROME_HEIGHT + _ROW_HEIGHT * len(uses))
    figure.add_bar(
        orientation="h",
        x=[count for _, count in uses],
        y=list(range(len(uses))),
        width=0.66,
        marker={"color": theme.LIGHT.main, "line": {"width": 0}},
        hovertext=[f"<b>{theme.label(name, 60)}</b><br>{numbers.count(count, 'use')}" for name, count in uses],
        hoverinfo="text",
    )
    figure.update_xaxes(rangemode="tozero", nticks=5, zeroline=False)
    figure.update_yaxes(
        range=[len(uses) - 0.5, -0.5],
        tickvals=list(range(len(uses))),
        ticktext=[theme.label(name, _LABEL_LENGTH) for name, _ in uses],
        tickfont={"color": theme.LIGHT.ink},
        showgrid=False,
        zeroline=False,
    )
    # Plotly would rather cut the axis off than draw a single bar in less than 64 pixels.
    figure.update_layout(minreducedheight=_ROW_HEIGHT)
    return figure


def _mark(figure: go.Figure, found: pl.DataFrame) -> None:
    for at in found["detected_at"]:
        figure.add_vline(x=_text(at), line={"color": theme.LIGHT.alert, "width": 1, "dash": "dot"})
    # Lines cannot be hovered over: a mark at each moment's value tells what it was.
    figure.add_scatter(
        x=[_text(at) for at in found["detected_at"]],
        y=found["metric_value"].to_list(),
        mode="markers",
        marker={"color": theme.LIGHT.alert, "size": 9},
        hovertext=[theme.label(text, 90) for text in found["description"]],
        hoverinfo="text",
    )


def _runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield the minutes that follow each other and have bounds, for a band cannot cross a gap."""
    run: list[Row] = []
    for row in rows:
        if row["low"] is not None:
            run.append(row)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def _band(run: Sequence[Row]) -> dict[str, object]:
    at = [_text(row["window_start"]) for row in run]
    return {
        "x": at + at[::-1],
        "y": [row["high"] for row in run] + [row["low"] for row in run][::-1],
        "fill": "toself",
        "fillcolor": theme.LIGHT.band,
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
    }


def _hover(row: Row, column: str, title: str) -> str:
    if row[column] is None:
        return ""
    text = f"{row['window_start']:%H:%M}: {row[column]:,.4g} {title}"
    if row["low"] is not None:
        text += f"<br>95 % interval {row['low']:,.4g} to {row['high']:,.4g}"
    return text if row["n"] is None else f"{text}<br>n = {row['n']:,}"


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")
