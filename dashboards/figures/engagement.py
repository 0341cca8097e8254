"""How far sessions came into a title: shares by position with their intervals, replays, completion by title.

What is counted is in `warehouse.metrics.engagement_curves`; nothing is computed here.
"""

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme
from dashboards.figures.points import Row, bars, drawable

_PCT = numbers.Scale(0.01, "\u00a0%", 1)
_ROW_HEIGHT = 30
_CHROME_HEIGHT = 56
_LABEL_LENGTH = 24


def reached(curve: pl.DataFrame, *, height: int = 260) -> go.Figure:
    """Draw [first_s, value, low, high, n], shares of sessions by position: a line in the band of its intervals."""
    rows = drawable(curve)
    at = [clock(row["first_s"]) for row in rows]
    figure = theme.figure(height=height)
    figure.add_scatter(
        x=at + at[::-1],
        y=[100 * row["high"] for row in rows] + [100 * row["low"] for row in rows][::-1],
        fill="toself",
        fillcolor=theme.LIGHT.band,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=at,
        y=[100 * row["value"] for row in rows],
        mode="lines",
        line={"color": theme.LIGHT.main, "width": 2},
        hovertext=[_hover(row, "came this far") for row in rows],
        hoverinfo="text",
    )
    figure.update_yaxes(range=[0, 102], ticksuffix="\u00a0%", nticks=6)
    return _positions(figure, at)


def left(curve: pl.DataFrame, *, height: int = 240) -> go.Figure:
    """Draw [first_s, last_s, value, low, high, n]: of the sessions that came to each step, how many left within it."""
    rows = drawable(curve)
    at = [clock(row["first_s"]) for row in rows]
    figure = theme.figure(height=height)
    figure.add_bar(
        x=at,
        y=[100 * row["value"] for row in rows],
        marker={"color": theme.LIGHT.mild, "line": {"width": 0}},
        error_y=bars(rows, _PCT, theme.LIGHT.ink, width=2) | {"thickness": 1},
        hovertext=[_hover(row, "left here") for row in rows],
        hoverinfo="text",
    )
    figure.update_layout(bargap=0.25)
    figure.update_yaxes(rangemode="tozero", ticksuffix="\u00a0%", nticks=5)
    return _positions(figure, at)


def replays(steps: pl.DataFrame, *, height: int = 240) -> go.Figure:
    """Draw [first_s, last_s, replays] as bars."""
    rows = steps.to_dicts()
    at = [clock(row["first_s"]) for row in rows]
    figure = theme.figure(height=height)
    figure.add_bar(
        x=at,
        y=[row["replays"] for row in rows],
        marker={"color": theme.LIGHT.playback, "line": {"width": 0}},
        hovertext=[f"<b>{span(row)}</b><br>{numbers.count(row['replays'], 'second')} watched again" for row in rows],
        hoverinfo="text",
    )
    figure.update_layout(bargap=0.1)
    figure.update_yaxes(rangemode="tozero", nticks=5)
    return _positions(figure, at)


def completion(titles: pl.DataFrame, overall: float | None = None) -> go.Figure:
    """Draw [content_id, value, low, high, n], a point and its interval each, in the given order, the first on top."""
    rows = drawable(titles)
    figure = theme.figure(height=_CHROME_HEIGHT + _ROW_HEIGHT * len(rows))
    figure.add_scatter(
        x=[100 * row["value"] for row in rows],
        y=list(range(len(rows))),
        mode="markers",
        cliponaxis=False,
        marker={"color": theme.LIGHT.main, "size": 9},
        error_x=bars(rows, _PCT, theme.LIGHT.main, width=0),
        hovertext=[
            _share(f"<b>{theme.label(row['content_id'], 60)}</b>", row, "watched it to its end") for row in rows
        ],
        hoverinfo="text",
    )
    if overall is not None:
        figure.add_vline(x=100 * overall, line={"color": theme.LIGHT.muted, "width": 1, "dash": "dot"})
    figure.update_xaxes(rangemode="tozero", ticksuffix="\u00a0%", showticksuffix="last", nticks=6, zeroline=False)
    figure.update_yaxes(
        range=[len(rows) - 0.5, -0.5],
        tickvals=list(range(len(rows))),
        ticktext=[theme.label(row["content_id"], _LABEL_LENGTH) for row in rows],
        tickfont={"color": theme.LIGHT.ink},
        showgrid=False,
        zeroline=False,
    )
    return figure


def clock(second: int) -> str:
    """Return a position in the content as “1:02:05” or “2:05”, of the moment at which that second begins."""
    hours, rest = divmod(second - 1, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def span(row: Row) -> str:
    """Return where a step begins and ends."""
    return f"{clock(row['first_s'])} to {clock(row['last_s'] + 1)}"


def _positions(figure: go.Figure, at: Sequence[str]) -> go.Figure:
    step = max(-(-len(at) // 6), 1)
    figure.update_xaxes(type="category", tickvals=list(at[::step]), showgrid=False)
    return figure


def _hover(row: Row, what: str) -> str:
    return _share(f"<b>{span(row)}</b>", row, what)


def _share(heading: str, row: Row, what: str) -> str:
    between = numbers.interval(100 * row["low"], 100 * row["high"], "pct")
    share = numbers.number(100 * row["value"], "pct")
    return f"{heading}<br>{share} {what}<br>95 % interval {between}<br>n = {row['n']:,}"
