"""Time watched as bars: by week, up to each quarter, and by title, kind, language or confidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme

_RUNNING = 0.55
_ROW_HEIGHT = 30
_CHROME_HEIGHT = 56
_LEGEND_HEIGHT = 28
_LABEL_LENGTH = 24
_QUARTER_WIDTH = 0.75
"""Of the room of a quarter; less where there are few."""
_QUARTER_LABELS = 8
"""Most labels below the quarters; the newest always has one."""


@dataclass(frozen=True)
class Group:
    """What bars of one colour have in common: its name in the legend, and the colour."""

    title: str
    colour: str = theme.LIGHT.main


@dataclass(frozen=True)
class Bar:
    """One bar of a ranking: label and hover text as Plotly may draw them, seconds, and the key of its group."""

    label: str
    hover: str
    watched_s: int
    group: str = ""


def weekly(
    weeks: pl.DataFrame, groups: Mapping[str, Group], *, average_s: int | None = None, height: int = 300
) -> go.Figure:
    """Draw [week, kind, items, watched_s] stacked by kind, the last week paler, for it may still run.

    `groups` gives the kinds their titles and colours in the order of stacking; kinds without a watch are left out.
    `average_s` is drawn as a line to compare with.
    """
    totals = weeks.group_by("week").agg(pl.col("watched_s").sum()).sort("week")
    most = max(int(totals["watched_s"].max() or 0), average_s or 0)  # type: ignore[arg-type] # a sum of integers
    scale = numbers.time_scale(most)
    figure = theme.figure(height=height)
    for kind, group in groups.items():
        rows = weeks.filter(pl.col("kind") == kind).sort("week").to_dicts()
        if not any(row["items"] for row in rows):
            continue
        figure.add_bar(
            x=[row["week"].isoformat() for row in rows],
            y=[row["watched_s"] / scale.divisor for row in rows],
            name=group.title,
            marker={"color": group.colour, "line": {"width": 0}, "opacity": [1.0] * (len(rows) - 1) + [_RUNNING]},
            hovertext=[_week_hover(row, group.title) for row in rows],
            hoverinfo="text",
        )
    if average_s is not None:
        figure.add_hline(y=average_s / scale.divisor, line={"color": theme.LIGHT.muted, "width": 1, "dash": "dot"})
    figure.update_layout(
        barmode="stack", bargap=0.2, showlegend=True, margin={"t": 48}, legend={"traceorder": "normal"}
    )
    figure.update_xaxes(type="date", tickformat="%b %Y", nticks=5, showgrid=False)
    figure.update_yaxes(rangemode="tozero", ticksuffix=scale.suffix, nticks=6)
    return figure


def cumulative(points: Sequence[tuple[str, int]], *, height: int = 300) -> go.Figure:
    """Draw (quarter, whole hours up to its end), in the given order."""
    figure = theme.figure(height=height)
    figure.add_bar(
        x=[label for label, _ in points],
        y=[hours for _, hours in points],
        width=_QUARTER_WIDTH * min(1, len(points) / 4),
        marker={"color": theme.LIGHT.main, "line": {"width": 0}},
        hovertext=[f"<b>Quarter from {label}</b><br>{hours:,} h up to its end" for label, hours in points],
        hoverinfo="text",
    )
    step = -(-len(points) // _QUARTER_LABELS)
    figure.update_xaxes(
        type="category",
        tickvals=[label for label, _ in points[::-step]],
        ticktext=[label.replace(" ", "<br>") for label, _ in points[::-step]],
        showgrid=False,
    )
    figure.update_yaxes(rangemode="tozero", ticksuffix="\u00a0h", nticks=6)
    return figure


def ranking(bars: Sequence[Bar], groups: Mapping[str, Group]) -> go.Figure:
    """Draw one bar below the other in the given order, coloured by group; a legend where there are several groups."""
    present = [key for key in groups if any(bar.group == key for bar in bars)]
    legend = _LEGEND_HEIGHT if len(present) > 1 else 0
    scale = numbers.time_scale(max((bar.watched_s for bar in bars), default=0))
    figure = theme.figure(height=_CHROME_HEIGHT + legend + _ROW_HEIGHT * len(bars))
    for key in present:
        chosen = [(at, bar) for at, bar in enumerate(bars) if bar.group == key]
        figure.add_bar(
            orientation="h",
            x=[bar.watched_s / scale.divisor for _, bar in chosen],
            y=[at for at, _ in chosen],
            width=0.66,
            name=groups[key].title,
            marker={"color": groups[key].colour, "line": {"width": 0}},
            hovertext=[bar.hover for _, bar in chosen],
            hoverinfo="text",
        )
    figure.update_xaxes(rangemode="tozero", ticksuffix=scale.suffix, showticksuffix="last", nticks=5, zeroline=False)
    figure.update_yaxes(
        range=[len(bars) - 0.5, -0.5],
        tickvals=list(range(len(bars))),
        ticktext=[bar.label for bar in bars],
        tickfont={"color": theme.LIGHT.ink},
        showgrid=False,
        zeroline=False,
    )
    # Plotly would rather cut the axis off than draw a single bar in less than 64 pixels.
    layout = {"barmode": "overlay", "showlegend": bool(legend), "minreducedheight": _ROW_HEIGHT}
    figure.update_layout(layout, margin={"t": 12 + legend})
    return figure


def label(text: str) -> str:
    """Return a name as it fits beside a bar."""
    return theme.label(text, _LABEL_LENGTH)


def _week_hover(row: Mapping[str, object], title: str) -> str:
    week = row["week"]
    if not isinstance(week, date):
        raise TypeError(f"not a day: {week!r}")
    watched = f"{numbers.duration(int(str(row['watched_s'])))}, {numbers.count(int(str(row['items'])), 'item')}"
    return f"<b>Week of {numbers.day(week)}</b><br>{title}: {watched}"
