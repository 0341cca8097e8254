from datetime import date

import plotly.graph_objects as go
import polars as pl
import pytest

from dashboards import theme
from dashboards.figures import outcomes, segments, startup, trends

MARCH = [date(2026, 3, day) for day in range(1, 6)]


def estimates(
    column: str, rows: list[tuple[object, str, float | None, float | None, float | None, int]]
) -> pl.DataFrame:
    dtype = pl.Date() if column == "day" else pl.String()
    schema = {column: dtype, "metric": pl.String(), "value": pl.Float64(), "low": pl.Float64(), "high": pl.Float64()}
    return pl.DataFrame(rows, schema=schema | {"n": pl.Int64()}, orient="row")


def day_rows(values: list[float | None], metric: str = "rebuffer_pct_play") -> pl.DataFrame:
    rows = [
        (day, metric, value, None if value is None else value - 0.1, None if value is None else value + 0.2, 100)
        for day, value in zip(MARCH, values, strict=False)
    ]
    return estimates("day", rows)


def colours(value: object) -> set[str]:
    if isinstance(value, dict):
        return {found for inner in value.values() for found in colours(inner)}
    if isinstance(value, list | tuple):
        return {found for inner in value for found in colours(inner)}
    return {value} if isinstance(value, str) and value.startswith(("#", "rgb")) else set()


def test_trend_draws_values_and_a_band_between_low_and_high() -> None:
    figure = trends.trend(day_rows([1.0, 2.0]), "rebuffer_pct_play")
    band, line = figure.data
    assert band.y == pytest.approx((1.2, 2.2, 1.9, 0.9))
    assert band.x == ("2026-03-01", "2026-03-02", "2026-03-02", "2026-03-01")
    assert line.y == (1.0, 2.0)
    assert line.hovertext[0] == (
        "<b>Sun 1 Mar 2026</b><br>Rebuffering 1.00\u00a0%<br>95 % interval 0.90–1.20\u00a0%<br>n = 100"
    )


def test_a_day_without_a_value_is_a_gap_and_a_lone_day_has_a_bar() -> None:
    figure = trends.trend(day_rows([1.0, 2.0, None, 3.0]), "rebuffer_pct_play")
    _, line, lone = figure.data
    assert line.x == ("2026-03-01", "2026-03-02")
    assert lone.x == ("2026-03-04",)
    assert lone.error_y.array == pytest.approx((0.2,))


def test_a_marked_day_is_drawn_apart() -> None:
    figure = trends.trend(day_rows([1.0, 2.0, 9.0]), "rebuffer_pct_play", marked=[MARCH[2]])
    mark = figure.data[-1]
    assert mark.x == ("2026-03-03",)
    assert mark.marker.color == theme.LIGHT.alert
    assert mark.hovertext[0].endswith("stands apart from other days")


def test_long_times_are_drawn_in_seconds() -> None:
    figure = trends.trend(day_rows([1500.0, 2500.0], "startup_ms_p95"), "startup_ms_p95")
    assert figure.data[1].y == (1.5, 2.5)
    assert figure.layout.yaxis.ticksuffix == "\u00a0s"


def test_a_value_without_interval_says_so() -> None:
    rows = estimates("day", [(MARCH[0], "rebuffer_pct_play", 0.0, None, None, 40)])
    (point,) = trends.trend(rows, "rebuffer_pct_play").data
    assert point.y == (0.0,)
    assert "95 % interval none" in point.hovertext[0]


def test_trend_of_nothing_is_an_empty_figure() -> None:
    assert trends.trend(day_rows([]), "rebuffer_pct_play").data == ()


def segment_rows() -> pl.DataFrame:
    rows = [
        ("sure", "rebuffer_pct_play", 4.0, 3.5, 4.5, 900),
        ("noisy", "rebuffer_pct_play", 9.0, 0.1, 18.0, 21),
        ("fair", "rebuffer_pct_play", 1.0, 0.9, 1.1, 800),
        ("few", "rebuffer_pct_play", None, None, None, 3),
        (None, "rebuffer_pct_play", 2.0, 1.5, 2.5, 50),
    ]
    return estimates("segment", rows)


def test_the_surest_are_those_whose_interval_begins_highest() -> None:
    surest = segments.surest(segment_rows(), "segment", ("rebuffer_pct_play",), limit=2)
    assert surest["segment"].to_list() == ["sure", None]
    everything = segments.surest(segment_rows(), "segment", ("rebuffer_pct_play",))
    assert everything["segment"].to_list() == ["noisy", "sure", None, "fair"]


def test_ranked_keeps_the_order_and_names_what_was_not_sent() -> None:
    frame = segments.surest(segment_rows(), "segment", ("rebuffer_pct_play",))
    figure = segments.ranked(frame, "segment", ("rebuffer_pct_play",), overall=2.5)
    (points,) = figure.data
    assert points.x == (9.0, 4.0, 2.0, 1.0)
    assert points.y == (0.0, 1.0, 2.0, 3.0)
    assert figure.layout.yaxis.ticktext == ("noisy", "sure", "not sent", "fair")
    assert points.error_x.array[1] == pytest.approx(0.5)
    assert figure.layout.shapes[0].x0 == 2.5


def test_two_metrics_of_a_segment_stand_side_by_side() -> None:
    frame = estimates("segment", [("a", "vsf_pct", 1.0, 0.5, 2.0, 99), ("a", "vpf_pct", 2.0, 1.0, 3.0, 98)])
    first, second = segments.ranked(frame, "segment", ("vsf_pct", "vpf_pct")).data
    assert (first.name, second.name) == ("Start failures", "Playback failures")
    assert first.y[0] < second.y[0]


def test_labels_that_shorten_alike_stay_two_rows() -> None:
    names = [f"content-with-a-long-name-{number}-and-the-same-end" for number in (1, 2)]
    frame = estimates("segment", [(name, "rebuffer_pct_play", 1.0, 0.5, 1.5, 99) for name in names])
    figure = segments.ranked(frame, "segment", ("rebuffer_pct_play",))
    assert len(set(figure.layout.yaxis.ticktext)) == 1
    assert figure.data[0].y == (0.0, 1.0)


def test_differences_are_in_points_around_a_line_at_none() -> None:
    frame = estimates("segment", [("a", "rebuffer_pct_play", -0.5, -0.9, -0.1, 99)])
    figure = segments.differences(frame, "segment", "rebuffer_pct_play")
    assert figure.data[0].x == (-0.5,)
    assert "Difference in rebuffering −0.50\u00a0points" in figure.data[0].hovertext[0]
    assert figure.layout.shapes[0].x0 == 0


def test_senders_text_is_never_markup() -> None:
    evil = "<a href='https://example.org'>x</a>"
    frame = estimates("segment", [(evil, "rebuffer_pct_play", 1.0, 0.5, 1.5, 99)])
    figure = segments.ranked(frame, "segment", ("rebuffer_pct_play",))
    assert "<" not in figure.layout.yaxis.ticktext[0]
    assert "<a" not in figure.data[0].hovertext[0]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (None, "not sent"),
        ("  ", "(blank)"),
        ("a&b<c>", "a&amp;b&lt;c&gt;"),
        ("ab\u202edc\n", "ab�dc�"),
        ("x" * 40, f"{'x' * 17}…{'x' * 8}"),
    ],
)
def test_label(text: str | None, label: str) -> None:
    assert theme.label(text) == label


def test_startup_bins_are_steps_with_gaps_at_zero() -> None:
    bins = pl.DataFrame({"low_ms": [0.0, 100.0, 110.0], "high_ms": [1.0, 110.0, 121.0], "n": [1, 2, 1]})
    bins = bins.with_columns(share_low=pl.lit(1.0), share_high=pl.lit(60.0))
    quantiles = estimates(
        "of", [("all", "startup_ms_p50", 105.0, 100.0, 108.0, 4), ("all", "startup_ms_p99", None, None, None, 4)]
    )
    figure = startup.distribution(bins, quantiles)
    steps = figure.data[0]
    assert steps.x == (0.5, 0.5, 1.0, 1.0, 100.0, 100.0, 110.0, 110.0, 121.0, 121.0)
    assert steps.y == (0.0, 25.0, 25.0, 0.0, 0.0, 50.0, 50.0, 25.0, 25.0, 0.0)
    assert [note.text for note in figure.layout.annotations] == ["median 105\u00a0ms<br>100–108\u00a0ms"]
    assert steps.hovertext[5].endswith("50.0\u00a0% of sessions<br>95 % interval 1.0–60.0\u00a0%<br>2 of n = 4")
    assert figure.layout.annotations[0].x == pytest.approx(2.0212, abs=1e-4)


def test_outcomes_stack_shares_of_what_did_not_play() -> None:
    rows = [(MARCH[0], "played", 90, 80.0, 95.0, 100), (MARCH[0], "video_start_failure", 10, 5.0, 18.0, 100)]
    schema = {
        "day": pl.Date(),
        "outcome": pl.String(),
        "n": pl.Int64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "of": pl.Int64(),
    }
    figure = outcomes.by_day(pl.DataFrame(rows, schema=schema, orient="row"))
    assert [bar.name for bar in figure.data] == ["Start failure", "Exit before start", "Playback failure"]
    assert figure.data[0].y == (10.0,)
    assert figure.data[0].hovertext[0].endswith("95 % interval 5.0–18.0\u00a0%<br>10 of n = 100")
    assert figure.layout.barmode == "stack"


def test_every_colour_of_a_figure_has_its_counterpart_in_the_dark() -> None:
    drawn = [
        trends.trend(day_rows([1.0, None, 2.0]), "rebuffer_pct_play", marked=MARCH[:1]),
        segments.ranked(segment_rows(), "segment", ("rebuffer_pct_play",), overall=1.0),
        outcomes.by_day(
            pl.DataFrame(schema={"day": pl.Date(), "outcome": pl.String(), "n": pl.Int64(), "of": pl.Int64()})
        ),
    ]
    used = set().union(*(colours(figure.to_plotly_json()) for figure in drawn)) | colours(
        go.Figure(layout={"template": theme.TEMPLATE}).to_plotly_json()
    )
    assert used - {"rgba(0,0,0,0)"} <= set(theme.DARK_OF)
    assert not set(theme.DARK_OF) & set(theme.DARK_OF.values())
