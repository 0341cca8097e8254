"""Properties of progress at one fixed clock: order, repeats, other users, and daily sums against recomputation."""

from datetime import UTC, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.watch_frames import AUCKLAND, NOW, core, frame, progress_at, watch
from warehouse.datasets.watches import CONFIDENCES, ENRICHMENTS, KINDS, OUT_PROGRESS_DAILY
from warehouse.metrics import progress_daily
from warehouse.metrics.progress import edge_day, from_watches, progress

ZONES = st.sampled_from([AUCKLAND, ZoneInfo("America/St_Johns"), ZoneInfo("UTC")])
NAMES = st.sampled_from(["a", "a#1", "a/b", "アニメ", "ß", ""])


@st.composite
def a_watch(draw, user="alice"):
    """A watch of few items and titles, so that repeats and shared titles are common; ages straddle every boundary."""
    kind = draw(st.sampled_from(KINDS))
    age = timedelta(seconds=draw(st.one_of(st.integers(0, 40 * 86_400), st.sampled_from([0, 7 * 86_400, 14 * 86_400]))))
    known = draw(st.booleans())
    identity = {"episode": "tvdb_id", "movie": "tmdb_id", "youtube": "channel_id", "spotify": "show_id"}[kind]
    number = draw(st.integers(1, 3))
    value = number if identity in {"tvdb_id", "tmdb_id"} else f"id{number}"
    return watch(
        kind,
        draw(NAMES),
        NOW - age,
        user_id=user,
        folder=draw(NAMES) if kind == "episode" else None,
        duration_s=draw(st.none() | st.integers(0, 20_000)),
        enrichment=draw(st.sampled_from(ENRICHMENTS)),
        confidence=draw(st.sampled_from(CONFIDENCES)),
        language=draw(st.sampled_from([None, "ja", "fr"])),
        **({identity: value, "title_name": draw(st.none() | NAMES)} if known else {}),
    )


WATCHES = st.lists(a_watch(), max_size=25)


@given(rows=WATCHES, data=st.data(), zone=ZONES)
@settings(max_examples=60, deadline=None)
def test_order_and_repeats_do_not_matter(rows, data, zone):
    again = data.draw(st.lists(st.sampled_from(rows), max_size=10)) if rows else []
    shuffled = data.draw(st.permutations([*rows, *again]))
    assert progress_at(NOW, *shuffled, zone=zone) == progress_at(NOW, *rows, zone=zone)


@given(rows=WATCHES, others=st.lists(a_watch(user="bob"), max_size=25))
@settings(max_examples=60, deadline=None)
def test_one_users_watches_never_change_anothers(rows, others):
    placed = core([*others, *rows], {("t", "bob"): "UTC"})
    sums = progress_daily.aggregate(placed)
    edge = placed.filter(pl.col("day") == edge_day(NOW))
    mine = [part.filter(pl.col("user_id") == "alice") for part in (sums, edge)]
    assert progress(*mine, now=NOW) == progress_at(NOW, *rows)
    theirs = [part.filter(pl.col("user_id") == "bob") for part in (sums, edge)]
    assert progress(*theirs, now=NOW, zone=ZoneInfo("UTC")) == progress_at(NOW, *others, zone=ZoneInfo("UTC"))


def seconds(row):
    fallback = 1200 if row["kind"] == "episode" else 0
    return fallback if row["duration_s"] is None else row["duration_s"]


@given(rows=WATCHES, zone=ZONES)
@settings(max_examples=60, deadline=None)
def test_progress_is_what_plain_python_makes_of_every_watch(rows, zone):
    kept = core(rows).to_dicts()
    found = from_watches(frame(rows), now=NOW, zone=zone)
    total = sum(map(seconds, kept))
    today = NOW.astimezone(zone).date()
    assert found.total_hours_watched == total // 3600 == found.all_time_progress[-1].cumulative_hours
    ages = [(today - row["watched_at"].astimezone(zone).date()).days for row in kept]
    by_age = [sum(seconds(row) for row, age in zip(kept, ages, strict=True) if age == ago) // 60 for ago in range(7)]
    assert [day.minutes_watched for day in found.daily_activity] == by_age[::-1]
    first = min((row["watched_at"] for row in kept), default=NOW)
    assert found.days_since_first_episode == (NOW - first) // timedelta(days=1)
    last = sum(seconds(row) for row in kept if row["watched_at"] > NOW.astimezone(UTC) - timedelta(days=7))
    if found.weekly_trend_percentage is not None:
        average = total / found.days_since_first_episode * 7
        assert abs(found.weekly_trend_percentage - (last - average) / average * 100) < 1e-6
    else:
        assert found.days_since_first_episode < 14 or total == 0
    counts = {kind: len(list(same)) for kind, same in groupby(sorted(row["kind"] for row in kept))}
    assert sum(channel.videos_watched for channel in found.youtube_channels) == counts.get("youtube", 0)
    assert sum(show.episodes_watched for show in found.shows) == counts.get("episode", 0)
    assert sum(show.episodes_watched for show in found.spotify_shows) == counts.get("spotify", 0)
    assert len(found.movies) == counts.get("movie", 0)


@given(rows=WATCHES, cut=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_daily_sums_of_parts_add_up_to_the_whole(rows, cut):
    placed = core(rows)
    keys = list(OUT_PROGRESS_DAILY.key)
    split = NOW.astimezone(AUCKLAND).date() - timedelta(days=cut)
    parts = [progress_daily.aggregate(placed.filter(part)) for part in (pl.col("day") < split, pl.col("day") >= split)]
    whole = progress_daily.aggregate(placed)
    assert_frame_equal(pl.concat(parts).sort(keys), whole.sort(keys))
    assert whole["items"].sum() == placed.height
    assert progress_daily.by_title(whole)["watched_s"].sum() == progress_daily.by_day(whole)["watched_s"].sum()
    assert whole["watched_s"].sum() == sum(map(seconds, placed.to_dicts()))
