"""How long viewers waited for the first frame: the distribution on a log scale, with its median and tail."""

import math

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme
from dashboards.catalogue import METRICS

_TICKS = {1: "1 ms", 3: "3 ms", 10: "10 ms", 30: "30 ms", 100: "100 ms", 300: "300 ms", 1_000: "1 s", 3_000: "3 s"} | {
    10_000: "10 s",
    30_000: "30 s",
    100_000: "100 s",
    1_000_000: "1000 s",
}
_MARKS = {"startup_ms_p50": theme.LIGHT.main, "startup_ms_p95": theme.LIGHT.alert}

_LEAST_MS = 0.5
"""Where the bin of exact zeros begins, for a log scale has no 0."""
_ROUNDING = 1 + 1e-9


def distribution(bins: pl.DataFrame, quantiles: pl.DataFrame, *, height: int = 320) -> go.Figure:
    """Draw the share of sessions by startup time, with the median and p95 as lines in their intervals.

    `bins` has [low_ms, high_ms, n, share_low, share_high], each as wide as the others on a log scale, empty ones left
    out, the interval of the share in percent; `quantiles` has [metric, value, low, high, n].
    """
    figure = theme.figure(height=height)
    if not bins.is_empty():
        figure.add_scatter(**_steps(bins))
    for row in quantiles.to_dicts():
        if row["metric"] in _MARKS and row["value"] is not None:
            _add_quantile(figure, row)
    figure.update_xaxes(type="log", tickvals=list(_TICKS), ticktext=list(_TICKS.values()))
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(rangemode="tozero", ticksuffix="\u00a0%", nticks=6, title_text="share of sessions")
    figure.update_layout(hovermode="closest", margin={"t": 60})
    return figure


def _add_quantile(figure: go.Figure, row: dict[str, float | str]) -> None:
    metric = str(row["metric"])
    value, low, high = (max(float(row[end]), _LEAST_MS) for end in ("value", "low", "high"))
    colour = _MARKS[metric]
    late = metric.endswith("p95")
    figure.add_vrect(
        x0=low,
        x1=high,
        fillcolor=theme.LIGHT.alert_band if late else theme.LIGHT.band,
        line={"width": 0},
        layer="below",
    )
    figure.add_vline(x=value, line={"color": colour, "width": 2})
    figure.add_annotation(
        text=f"{METRICS[metric].title.removeprefix('Startup, ')} {numbers.number(value, 'ms')}"
        f"<br>{numbers.interval(low, high, 'ms')}",
        x=math.log10(value),
        yref="paper",
        y=1,
        yanchor="bottom",
        xanchor="left" if late else "right",
        showarrow=False,
        font={"color": colour, "size": 13},
    )


def _steps(bins: pl.DataFrame) -> dict[str, object]:
    """Outline the bars: a step at each bin, down to 0 where bins were left out and at both ends."""
    rows = bins.sort("low_ms").to_dicts()
    total = sum(row["n"] for row in rows)
    edges: list[float] = [max(rows[0]["low_ms"], _LEAST_MS)]
    share, texts = [0.0], [""]
    for row in rows:
        begin = max(row["low_ms"], _LEAST_MS)
        if begin > edges[-1] * _ROUNDING:
            edges += [edges[-1], begin]
            share += [0.0, 0.0]
            texts += ["", ""]
        edges += [begin, row["high_ms"]]
        share += [100 * row["n"] / total] * 2
        texts += [_hover(row, total)] * 2
    return {
        "x": [*edges, edges[-1]],
        "y": [*share, 0.0],
        "mode": "lines",
        "line": {"color": theme.LIGHT.main, "width": 1},
        "fill": "tozeroy",
        "fillcolor": theme.LIGHT.band,
        "hovertext": [*texts, ""],
        "hoverinfo": "text",
    }


def _hover(row: dict[str, float], total: int) -> str:
    span = numbers.interval(row["low_ms"], row["high_ms"], "ms")
    share = numbers.number(100 * row["n"] / total, "pct")
    between = numbers.interval(row["share_low"], row["share_high"], "pct")
    return f"<b>{span}</b><br>{share} of sessions<br>95 % interval {between}<br>{row['n']:,} of n = {total:,}"
