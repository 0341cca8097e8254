"""How much was watched on each day of about a year: a column a week, a row a weekday."""

from datetime import date, timedelta

import plotly.graph_objects as go
import polars as pl

from dashboards import numbers, theme

STEPS = ((0, "none"), (1, "to 30 min"), (30 * 60, "to 1 h"), (3600, "to 2 h"), (2 * 3600, "more"))
"""From how many seconds on a day takes the next colour, and what that colour means; the first goes without saying."""

_COLOURS = (theme.LIGHT.grid, theme.LIGHT.faint, theme.LIGHT.mild, theme.LIGHT.main, theme.LIGHT.strong)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def calendar(days: pl.DataFrame, *, height: int = 230) -> go.Figure:
    """Draw [day, items, watched_s], every day of unbroken weeks from a Monday on, the last of which may be open."""
    figure = theme.figure(height=height)
    rows = days.sort("day").to_dicts()
    mondays = [row["day"] for row in rows if row["day"].weekday() == 0]
    levels: list[list[int | None]] = [[None] * len(mondays) for _ in _WEEKDAYS]
    texts: list[list[str]] = [[""] * len(mondays) for _ in _WEEKDAYS]
    for at, row in enumerate(rows):
        week, weekday = divmod(at, 7)
        levels[weekday][week] = sum(row["watched_s"] >= least for least, _ in STEPS) - 1
        texts[weekday][week] = _hover(row)
    figure.add_heatmap(
        x=[monday.isoformat() for monday in mondays],
        y=list(range(7)),
        z=levels,
        zmin=-0.5,
        zmax=len(STEPS) - 0.5,
        colorscale=_scale(),
        showscale=False,
        xgap=1.5,
        ygap=1.5,
        hovertext=texts,
        hoverinfo="text",
    )
    _add_legend(figure)
    figure.update_xaxes(type="date", tickvals=_months(mondays), tickformat="%b", showgrid=False, zeroline=False)
    figure.update_yaxes(
        range=[6.6, -0.6], tickvals=[0, 2, 4, 6], ticktext=[_WEEKDAYS[day] for day in (0, 2, 4, 6)], showgrid=False
    )
    figure.update_layout(showlegend=True, margin={"t": 52}, legend={"itemsizing": "constant"})
    return figure


def _hover(row: dict[str, object]) -> str:
    day, seconds, items = row["day"], int(str(row["watched_s"])), int(str(row["items"]))
    if not isinstance(day, date):
        raise TypeError(f"not a day: {day!r}")
    watched = f"{numbers.duration(seconds)}, {numbers.count(items, 'item')}" if items else "nothing watched"
    return f"<b>{numbers.day(day)}</b><br>{watched}"


def _scale() -> list[list[float | str]]:
    """Return one flat band of colour a step."""
    edges = [at / len(_COLOURS) for at in range(len(_COLOURS) + 1)]
    return [[edge, colour] for at, colour in enumerate(_COLOURS) for edge in edges[at : at + 2]]


def _add_legend(figure: go.Figure) -> None:
    for (_, meaning), colour in list(zip(STEPS, _COLOURS, strict=True))[1:]:
        marker = {"color": colour, "symbol": "square", "size": 11}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=meaning, hoverinfo="skip")


def _months(mondays: list[date]) -> list[str]:
    """Return every third Monday that is a month's first."""
    firsts = [monday for monday in mondays if (monday - timedelta(days=7)).month != monday.month]
    return [monday.isoformat() for monday in firsts[::3]]
