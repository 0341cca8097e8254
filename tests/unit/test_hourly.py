"""Hours add up to days: sums, histograms, and what is folded into `other`."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.session_frames import START, core_frame
from warehouse.datasets import (
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HOURLY,
)
from warehouse.metrics import histogram, qoe, slices

DIMENSIONS = {"cdn": "cdn"}
MEASURES = ("startup_ms", "play_ms", "rebuffer_ms", "rebuffer_count", "seek_ms", "seek_count", "error_count")

session = st.fixed_dictionaries(
    {
        "started_at": st.integers(0, 86_399_999).map(lambda ms: START.replace(hour=0) + timedelta(milliseconds=ms)),
        "content_id": st.sampled_from(["a", "b", None]),
        "stream_type": st.sampled_from(["hls", None]),
        "cdn": st.sampled_from(["one", "two", "three", "four", None]),
    }
    | {name: st.none() | st.integers(0, 2**31 - 1) for name in MEASURES}
)


@pytest.mark.parametrize(
    ("module", "daily", "hourly"),
    [(qoe, OUT_QOE_DAILY, OUT_QOE_HOURLY), (histogram, OUT_QOE_HISTOGRAM_DAILY, OUT_QOE_HISTOGRAM_HOURLY)],
    ids=["sums", "histograms"],
)
@settings(max_examples=25, deadline=None)
@given(st.lists(session, min_size=1, max_size=30))
def test_the_day_is_the_sum_of_its_hours(module, daily, hourly, sessions):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "MAX_VALUES", 2)
        core = core_frame(sessions, DIMENSIONS)
        hours, day = module.aggregate(core, DIMENSIONS, hourly), module.aggregate(core, DIMENSIONS)
    assert hours.schema == hourly.schema()
    assert hours.select(hourly.key).is_unique().all()
    assert hours["hour"].is_in([at.replace(minute=0, second=0, microsecond=0) for at in core["started_at"]]).all()
    measures = [name for name in daily.columns if name not in daily.key]
    summed = hours.group_by(daily.key).agg(pl.col(measures).sum()).select(day.columns)
    assert_frame_equal(summed, day, check_row_order=False, rel_tol=1e-9, abs_tol=1e-9)
