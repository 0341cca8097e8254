"""One list of metrics: what is computed, stored, compared and shown is in it, and nothing else is."""

import re
from pathlib import Path

import polars as pl
import pytest

from dashboards import publish, qoe_cards, qoe_page, qoe_segments
from dashboards.metrics_page import UNITS, metrics_page
from pipelines.assets.metadata import spec
from playhead.comparison import FIGURES
from tests.unit.report_pages import DIMENSIONS, report, sessions
from warehouse.datasets import (
    CORE_SESSIONS,
    HISTOGRAM_METRICS,
    MEANS,
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HOURLY,
    RATIOS,
)
from warehouse.metrics import histogram, qoe
from warehouse.metrics.clusters import COMPARED
from warehouse.metrics.registry import ESTIMATES, INTERVALS, METRICS, MIN_N, QUANTILES, SUMMED


def test_every_stored_sum_belongs_to_a_metric_and_the_reverse() -> None:
    assert {ratio.name for ratio in RATIOS} == {name for name, metric in METRICS.items() if metric.kind == "ratio"}
    assert set(MEANS) == {name for name, metric in METRICS.items() if metric.kind == "mean"}
    columns = {column for metric in METRICS.values() for column in (*metric.hits, *metric.trials)}
    assert columns <= set(OUT_QOE_DAILY.columns)
    quantiles = {f"{name}_p{100 * q:g}" for name in HISTOGRAM_METRICS for q in QUANTILES}
    assert quantiles == {name for name, metric in METRICS.items() if metric.kind == "quantile"}


def test_every_metric_that_is_computed_is_listed_and_the_reverse() -> None:
    core = sessions(200)
    summed = set(qoe.summarize(qoe.aggregate(core, DIMENSIONS))["metric"])
    quantiles = set(histogram.quantiles(histogram.aggregate(core, DIMENSIONS))["metric"])
    assert summed == set(SUMMED)
    assert summed | quantiles == set(ESTIMATES) == set(METRICS) - {"sessions", "play_hours"}
    assert set(COMPARED) <= summed


def test_every_metric_that_a_page_shows_is_listed_and_the_reverse(tmp_path: Path) -> None:
    built = report(sessions())
    page = qoe_page.page(built)
    cards = [card for section in page.sections for card in section.cards]
    shown = {tile.metric for tile in page.tiles} | {metric for card in cards for metric in card.metrics}
    shown |= {row[1] for card in cards if card.table for row in card.table.rows}
    shown |= {difference.metric for finding in page.findings.found for difference in finding.differences}
    shown |= {figure.metric for figure in FIGURES}
    assert shown <= set(METRICS)
    html = publish.publish_qoe(tmp_path, built).read_text(encoding="utf-8")
    assert set(re.findall(r"metrics\.html#(\w+)", html)) <= set(METRICS)
    assert [entry.name for entry in metrics_page().entries] == list(METRICS)
    for module in (qoe_page.HEADLINE, qoe_cards.TRENDS, qoe_segments.STALLS, qoe_segments.FAILURES):
        assert set(module) <= set(METRICS)


def test_assets_tell_what_is_read_from_them() -> None:
    for dataset in (OUT_QOE_DAILY, OUT_QOE_HOURLY, OUT_QOE_HISTOGRAM_DAILY, OUT_QOE_HISTOGRAM_HOURLY):
        told = spec(dataset, "out").metadata["metrics"].value
        table = dataset.name.replace("hourly", "daily")
        assert re.findall(r"`(\w+)`", told) == [name for name, metric in METRICS.items() if metric.table == table]
    assert "metrics" not in spec(CORE_SESSIONS, "core").metadata


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert all((metric.title, metric.formula, metric.nulls, metric.source))
    assert not metric.formula.endswith(".")
    assert metric.unit in UNITS
    assert metric.kind in INTERVALS
    assert metric.kind in MIN_N
    # The unit stands in the name, or in the formula.
    suffix = {"pct": "_pct", "ms": "_ms", "bps": "_bps", "ratio": "_ratio", "per_hour": "_per_hour"}.get(
        metric.unit, ""
    )
    assert suffix in name


def test_titles_are_told_apart() -> None:
    titles = [metric.title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)


def test_the_fewest_sessions_are_those_that_are_stated() -> None:
    core = sessions(400).filter(pl.col("startup_ms").is_not_null() & pl.col("play_ms").is_not_null())
    for kind, fewest in ((kind, n) for kind, n in MIN_N.items() if kind != "count"):
        names = [name for name, metric in METRICS.items() if metric.kind == kind and metric.q in {None, 0.5}]
        for n in (fewest - 1, fewest):
            rows = core.with_columns(rebuffer_ratio_media3=pl.lit(0.1), dropped_frames=1, seek_count=1).head(n)
            out, hist = qoe.aggregate(rows, {}), histogram.aggregate(rows, {})
            found = pl.concat([qoe.summarize(out), histogram.quantiles(hist)], how="vertical_relaxed")
            known = found.filter(pl.col("metric").is_in(names) & (pl.col("n") == n))
            assert known["value"].is_null().all() == (n < fewest), (kind, n)
