from datetime import date, timedelta

import polars as pl

from dashboards import theme
from dashboards.figures import calendar, watching
from dashboards.figures.watching import Bar, Group

MONDAY = date(2026, 3, 2)
GROUPS = {"episode": Group("Episodes"), "movie": Group("Movies", theme.LIGHT.alert)}


def days(*seconds: int) -> pl.DataFrame:
    found = [MONDAY + timedelta(days=at) for at in range(len(seconds))]
    return pl.DataFrame({"day": found, "items": [min(s, 1) for s in seconds], "watched_s": list(seconds)})


def weeks(kind: str, *seconds: int) -> pl.DataFrame:
    mondays = [MONDAY + timedelta(weeks=at) for at in range(len(seconds))]
    return pl.DataFrame(
        {"week": mondays, "kind": [kind] * len(seconds), "items": [min(s, 1) for s in seconds], "watched_s": seconds}
    )


def test_each_day_has_its_place_and_its_step() -> None:
    heat = calendar.calendar(days(0, 60, 1800, 3599, 3600, 7199, 7200, 60)).data[0]
    assert [row[0] for row in heat.z] == [0, 1, 2, 2, 3, 3, 4]
    assert [row[1] for row in heat.z] == [1, *[None] * 6]
    assert heat.x == ("2026-03-02", "2026-03-09")
    assert heat.hovertext[0][0] == "<b>Mon 2 Mar 2026</b><br>nothing watched"
    assert heat.hovertext[0][1] == "<b>Mon 9 Mar 2026</b><br>1\u00a0min, 1 item"


def test_the_steps_of_a_calendar_are_flat_and_have_a_dark_twin() -> None:
    scale = calendar.calendar(days(60)).data[0].colorscale
    assert scale[0][0] == 0
    assert scale[-1][0] == 1
    for (low, colour), (high, same) in zip(scale[::2], scale[1::2], strict=True):
        assert low < high
        assert colour == same
        assert colour in theme.DARK_OF


def test_weeks_are_stacked_by_kind_and_the_last_is_paler() -> None:
    drawn = watching.weekly(
        pl.concat([weeks("episode", 3600, 7200), weeks("movie", 0, 10_800)]), GROUPS, average_s=3600
    )
    episodes, movies = drawn.data
    assert (episodes.name, movies.name) == ("Episodes", "Movies")
    assert episodes.y == (1.0, 2.0)
    assert episodes.marker.opacity == (1.0, 0.55)
    assert drawn.layout.yaxis.ticksuffix == "\u00a0h"
    assert drawn.layout.shapes[0].y0 == 1.0


def test_a_kind_without_a_watch_is_left_out() -> None:
    drawn = watching.weekly(pl.concat([weeks("episode", 600), weeks("movie", 0)]), GROUPS)
    assert [trace.name for trace in drawn.data] == ["Episodes"]
    assert drawn.data[0].y == (10.0,)
    assert not drawn.layout.shapes


def test_quarters_keep_few_labels_and_always_the_newest() -> None:
    points = [(f"Jan {year}", year) for year in range(2000, 2026)]
    axis = watching.cumulative(points).layout.xaxis
    assert len(axis.tickvals) <= 8
    assert "Jan 2025" in axis.tickvals
    assert watching.cumulative([("Jan 2026", 0)]).data[0].y == (0,)


def test_a_ranking_has_a_legend_only_between_groups() -> None:
    bars = [Bar("a", "A", 7200, "episode"), Bar("b", "B", 600, "episode")]
    assert not watching.ranking(bars, GROUPS).layout.showlegend
    mixed = watching.ranking([*bars, Bar("c", "C", 60, "movie")], GROUPS)
    assert mixed.layout.showlegend
    assert mixed.data[1].y == (2,)
    assert mixed.layout.yaxis.ticktext == ("a", "b", "c")
