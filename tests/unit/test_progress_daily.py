"""Daily sums of watches: that they add up, that engines agree, and what is read from them."""

from datetime import date, datetime, timedelta

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.unit.watch_frames import AUCKLAND, NOW, core, daily, episode, frame, minutes, watch
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY
from warehouse.metrics import progress_daily, watches

TODAY = date(2026, 3, 18)
MIXED = [
    episode("f", "1", tvdb_id=7, title_name="Seven", artwork_url="u", duration_s=1500, language="ja"),
    episode("g", "1", tvdb_id=7, title_name="Seven", language="ja"),
    episode("h", "1", title_name="a folder without an id has no name"),
    watch("movie", "m", confidence="measured", duration_s=60),
    watch("youtube", "v", enrichment="failed", confidence="estimated"),
    watch("spotify", "p", show_id="s", title_name="Radio", duration_s=61, enrichment="found"),
    minutes(3, NOW - timedelta(days=2)),
]


def test_core_has_the_datasets_columns_and_local_days():
    placed = core(MIXED)
    assert placed.schema == CORE_WATCHES.schema()
    assert set(placed["day"]) == {TODAY, date(2026, 3, 16)}
    assert core([]).schema == CORE_WATCHES.schema()


def test_each_user_has_days_of_their_own():
    rows = [episode("f", "1", user_id=user) for user in ("alice", "bob")]
    placed = core(rows, {("t", "bob"): "America/Los_Angeles", ("other", "alice"): "UTC"})
    assert placed.select("user_id", "day", "time_zone").rows() == [
        ("alice", TODAY, "Pacific/Auckland"),
        ("bob", date(2026, 3, 17), "America/Los_Angeles"),
    ]
    with pytest.raises(pl.exceptions.ComputeError, match="Nowhere"):
        watches.place(frame(rows), {}, "Nowhere/Land")


def test_placing_again_moves_days_to_a_new_zone():
    placed = core(MIXED)
    moved = watches.place(placed, {}, "America/Los_Angeles")
    assert set(moved["day"]) == {date(2026, 3, 17), date(2026, 3, 15)}
    assert_frame_equal(watches.place(moved, {}, AUCKLAND.key), placed)


def test_sums_by_title_language_and_confidence():
    sums = daily(MIXED)
    assert dict(sums.schema) == dict(OUT_PROGRESS_DAILY.schema())
    columns = (
        "kind",
        "title_id",
        "title_name",
        "language",
        "confidence",
        "items",
        "watched_s",
        "pending_n",
        "failed_n",
    )
    today = sums.filter(pl.col("day") == TODAY).sort("kind", "title_id", "confidence", nulls_last=True)
    assert today.select(columns).rows() == [
        ("episode", "7", "Seven", "ja", "estimated", 1, 1200, 1, 0),
        ("episode", "7", "Seven", "ja", "synced", 1, 1500, 1, 0),
        ("episode", None, None, None, "estimated", 1, 1200, 1, 0),
        ("movie", "m", None, None, "measured", 1, 60, 1, 0),
        ("spotify", "s", "Radio", None, "synced", 1, 61, 0, 0),
        ("youtube", None, None, None, "estimated", 1, 0, 0, 1),
    ]
    assert set(today["first_at"]) == set(today["last_at"]) == {NOW}


def test_keys_are_unique():
    sums = daily(MIXED)
    assert sums.select(OUT_PROGRESS_DAILY.key).is_duplicated().sum() == 0


def test_polars_lazy_and_duckdb_agree(tmp_path):
    placed, path = core(MIXED), tmp_path / "core.parquet"
    placed.write_parquet(path)
    expected = progress_daily.aggregate(placed)
    lazy = progress_daily.aggregate(pl.scan_parquet(path)).collect(engine="streaming")
    with duckdb.connect() as connection:
        # DuckDB names instants by the zone of its connection.
        connection.execute("SET TimeZone = 'UTC'")
        duck = pl.DataFrame(progress_daily.aggregate(connection.read_parquet(str(path))))
    for other in (lazy, duck):
        assert other.schema == OUT_PROGRESS_DAILY.schema()
        assert_frame_equal(other, expected, check_row_order=False)


def test_a_range_of_days():
    sums = daily([minutes(1, NOW - timedelta(days=ago)) for ago in range(5)])
    first, last = TODAY - timedelta(days=3), TODAY - timedelta(days=1)
    assert sorted(progress_daily.between(sums, first, last)["day"]) == [first, first + timedelta(days=1), last]
    assert progress_daily.between(sums, None, last).height == 4
    assert progress_daily.between(sums, first, None).height == 4
    assert progress_daily.between(sums, None, None).height == 5


def test_calendar_has_every_day():
    found = progress_daily.calendar(daily(MIXED), TODAY - timedelta(days=3), TODAY)
    assert found.rows() == [
        (date(2026, 3, 15), 0, 0),
        (date(2026, 3, 16), 1, 180),
        (date(2026, 3, 17), 0, 0),
        (TODAY, 6, 1500 + 1200 + 1200 + 60 + 61),
    ]
    assert progress_daily.calendar(daily([]), TODAY, TODAY).rows() == [(TODAY, 0, 0)]


def test_weeks_begin_on_monday_and_are_whole():
    rows = [minutes(1, datetime(2026, 3, day, 12, tzinfo=AUCKLAND)) for day in (1, 2, 3, 8, 9, 16)]
    found = progress_daily.weekly(daily(rows), date(2026, 3, 4), TODAY)
    assert found.rows() == [(date(2026, 3, 2), 3, 180), (date(2026, 3, 9), 1, 60), (date(2026, 3, 16), 1, 60)]


def test_cumulative_seconds():
    found = progress_daily.cumulative(daily([minutes(2), minutes(1, NOW - timedelta(days=9))]))
    assert found.rows() == [(TODAY - timedelta(days=9), 60), (TODAY, 180)]


def test_hours_by_language_and_confidence():
    assert progress_daily.by_known(daily(MIXED)).rows() == [
        ("ja", "synced", 1, 1500),
        ("ja", "estimated", 1, 1200),
        (None, "estimated", 2, 1200),
        (None, "synced", 2, 241),
        (None, "measured", 1, 60),
    ]


def test_top_titles_by_time():
    top = progress_daily.top_titles(daily(MIXED), 3)
    assert top.select("kind", "title_id", "items", "watched_s").rows() == [
        ("episode", "7", 2, 2700),
        ("episode", None, 1, 1200),
        ("youtube", None, 2, 180),
    ]
