"""The keys of `out`: content rows, marginals, folding."""

import polars as pl
from polars.testing import assert_frame_equal

from tests.unit.session_frames import DAY, core_frame
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.metrics import histogram, qoe
from warehouse.metrics.slices import MAX_VALUES

DIMENSIONS = {"cdn": "cdn", "country": "country"}


def many_values():
    """60 values of cdn: 0-9 in 3 sessions, the others in 2, and null in 5; the rare ones are the greatest texts."""
    values = [f"v{n:02d}" for n in range(60) for _ in range(3 if n < 10 else 2)] + [None] * 5
    return core_frame([{"cdn": value, "startup_ms": 100, "content_id": "c"} for value in values], DIMENSIONS)


def test_rare_values_are_folded_and_null_stays_null():
    rows = qoe.aggregate(many_values(), DIMENSIONS).filter(dimension="cdn")
    sessions = dict(rows.select("value", "sessions").iter_rows())
    assert len(sessions) == MAX_VALUES + 2
    assert (sessions["v00"], sessions["v49"], sessions["other"], sessions[None]) == (3, 2, 20, 5)
    assert "v50" not in sessions


def test_a_value_named_other_joins_the_folded_ones():
    named = core_frame([{"cdn": "other"}] * 9, DIMENSIONS)
    rows = qoe.aggregate(pl.concat([many_values(), named]), DIMENSIONS).filter(dimension="cdn", value="other")
    assert rows["sessions"].to_list() == [9 + 22]


def test_a_dimension_nobody_sends_is_one_null_row():
    rows = qoe.aggregate(many_values(), DIMENSIONS).filter(dimension="country")
    assert rows.select("value", "sessions").rows() == [(None, 135)]


def test_values_are_folded_within_a_day_and_tenant():
    one = many_values()
    other = one.with_columns(tenant=pl.lit("u"), cdn="v" + pl.col("cdn"))
    both = qoe.aggregate(pl.concat([one, other]), DIMENSIONS)
    expected = pl.concat([qoe.aggregate(frame, DIMENSIONS) for frame in (one, other)])
    assert_frame_equal(both, expected, check_row_order=False)


def test_content_rows_hold_every_session_once():
    core = core_frame(
        [{"content_id": c, "stream_type": s} for c in ("a", "b", None) for s in ("hls", None) for _ in range(2)]
    )
    rows = qoe.aggregate(core, {})
    assert rows.select("day", "tenant", "dimension", "value").unique().rows() == [(DAY, "t", "content", None)]
    assert sorted(rows.select("content_id", "stream_type", "sessions").rows(), key=str) == sorted(
        [(c, s, 2) for c in ("a", "b", None) for s in ("hls", None)], key=str
    )


def test_histograms_fold_what_sessions_fold():
    """A value that is frequent by sessions keeps its histogram, however few of them started."""
    core = many_values().with_columns(startup_ms=pl.when(pl.col("cdn") >= "v50").then("startup_ms"))
    keys = ["dimension", "value"]
    counted = histogram.aggregate(core, DIMENSIONS)
    assert counted.filter(dimension="cdn").select(keys).rows() == [("cdn", "other")]
    assert set(counted.select(keys).rows()) <= set(qoe.aggregate(core, DIMENSIONS).select(keys).rows())


def test_schemas_are_exact_also_of_nothing():
    for core in (core_frame([], DIMENSIONS), many_values()):
        assert qoe.aggregate(core, DIMENSIONS).schema == OUT_QOE_DAILY.schema()
        assert histogram.aggregate(core, DIMENSIONS).schema == OUT_QOE_HISTOGRAM_DAILY.schema()
        assert qoe.aggregate(core.lazy(), DIMENSIONS).collect_schema() == OUT_QOE_DAILY.schema()
