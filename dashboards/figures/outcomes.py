"""How sessions ended, by day: the shares of those that did not simply play."""

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme

FAILED = {
    "video_start_failure": ("Start failure", theme.LIGHT.alert),
    "exit_before_video_start": ("Exit before start", theme.LIGHT.exit),
    "playback_failure": ("Playback failure", theme.LIGHT.playback),
}
"""Every outcome but `played`: its title and colour, in the order of stacking."""


def by_day(outcomes: pl.DataFrame, *, height: int = 300) -> go.Figure:
    """Draw, for each day, the stacked shares of sessions that failed or left early; the rest of 100 % played.

    `outcomes` has [day, outcome, n, low, high, of]: sessions of that outcome, the 95 % interval of its share in
    percent, and sessions with a known outcome that day. The played share is left out of the stack, for it would
    press the others flat.
    """
    figure = theme.figure(height=height)
    for outcome, (title, colour) in FAILED.items():
        rows = outcomes.filter((pl.col("outcome") == outcome) & (pl.col("of") > 0)).sort("day").to_dicts()
        figure.add_bar(
            x=[row["day"].isoformat() for row in rows],
            y=[100 * row["n"] / row["of"] for row in rows],
            name=title,
            marker={"color": colour, "line": {"width": 0}},
            hovertext=[_hover(row, title) for row in rows],
            hoverinfo="text",
        )
    figure.update_layout(
        barmode="stack", bargap=0.25, showlegend=True, margin={"t": 48}, legend={"traceorder": "normal"}
    )
    figure.update_xaxes(type="date", tickformat="%-d %b", nticks=5, showgrid=False)
    figure.update_yaxes(rangemode="tozero", ticksuffix="\u00a0%", nticks=6)
    return figure


def _hover(row: dict[str, object], title: str) -> str:
    n, of = int(str(row["n"])), int(str(row["of"]))
    low, high = float(str(row["low"])), float(str(row["high"]))
    return (
        f"<b>{title}</b><br>{numbers.number(100 * n / of, 'pct')} of attempts"
        f"<br>95 % interval {numbers.interval(low, high, 'pct')}<br>{n:,} of n = {of:,}"
    )
