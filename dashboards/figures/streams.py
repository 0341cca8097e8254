"""A live stream by the minute: messages, viewers or sentiment as a line, its moments marked."""

from datetime import datetime

import plotly.graph_objects as go
import polars as pl

from dashboards import theme

SERIES = {
    "chat_rate": ("messages a second", theme.LIGHT.main),
    "avg_viewers": ("viewers", theme.LIGHT.playback),
    "avg_sentiment": ("sentiment, -1 to 1", theme.LIGHT.strong),
}
"""Columns of `OUT_CHAT_MINUTE` that are drawn: what they are called, and their colour."""

METRIC_OF = {"chat_rate": "chat_spike", "avg_viewers": "viewer_spike", "avg_sentiment": "sentiment_shift"}


def by_minute(minutes: pl.DataFrame, moments: pl.DataFrame, column: str, *, height: int = 240) -> go.Figure:
    """Draw a column of one stream's `OUT_CHAT_MINUTE`, with its moments of that metric from `OUT_MOMENTS`.

    A minute without a value leaves a gap.
    """
    title, colour = SERIES[column]
    rows = minutes.sort("window_start").upsample("window_start", every="1m")
    figure = theme.figure(height=height)
    figure.add_scatter(
        x=[_text(at) for at in rows["window_start"]],
        y=rows[column].to_list(),
        mode="lines",
        name=title,
        line={"color": colour, "width": 1.8},
        hovertemplate=f"%{{x|%H:%M}}: %{{y:,.4~g}} {title}<extra></extra>",
    )
    found = moments.filter(pl.col("moment_type") == METRIC_OF[column]).sort("detected_at")
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
    figure.update_layout(showlegend=False)
    figure.update_xaxes(type="date", tickformat="%H:%M", nticks=8)
    figure.update_yaxes(nticks=5, rangemode="normal" if column == "avg_sentiment" else "tozero")
    return figure


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")
