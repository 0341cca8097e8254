"""The tracker's contract on frames: the seed's two scenarios, names, grouping, order, minutes of what is unknown."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.unit.watch_frames import AUCKLAND, NOW, core, daily, episode, progress_at, watch
from warehouse.metrics.progress import edge_day, edge_window, from_sums, progress
from warehouse.metrics.progress_daily import between, by_kind_and_day, by_title

EXAMPLE = {"tvdb_id": 12345, "title_name": "Example Show", "artwork_url": "https://e/p.jpg", "enrichment": "found"}
LINGO = {"channel_id": "UC1", "title_name": "Lingo", "artwork_url": "https://e/c.jpg", "enrichment": "found"}
RADIO = {"show_id": "sp1", "title_name": "Radio", "artwork_url": None, "enrichment": "found"}
NOTHING = {
    "total_episodes_watched": 0,
    "total_movies_watched": 0,
    "total_hours_watched": 0,
    "episodes_watched_today": 0,
    "movies_watched_today": 0,
    "youtube_videos_watched": 0,
    "youtube_videos_watched_today": 0,
    "spotify_episodes_watched": 0,
    "spotify_episodes_watched_today": 0,
    "days_since_first_episode": 0,
    "weekly_trend_percentage": None,
    "daily_activity": [{"days_ago": days_ago, "minutes_watched": 0} for days_ago in (6, 5, 4, 3, 2, 1, 0)],
    "all_time_progress": [{"label": "Jan 2026", "cumulative_hours": 0}],
    "shows": [],
    "youtube_channels": [],
    "spotify_shows": [],
    "movies": [],
}


def activity(today):
    return [*NOTHING["daily_activity"][:6], {"days_ago": 0, "minutes_watched": today}]


def test_before_any_data():
    found = progress_at(NOW).to_dict()
    assert found == NOTHING
    assert list(found) == list(NOTHING)


def test_scenario_1_local_episodes_before_their_show_has_an_id_and_after():
    files = [("show_name", "episode_1"), ("show_name", "episode_2"), ("other", "e#1/2")]
    synced = progress_at(NOW, *(episode(*file) for file in files)).to_dict()
    assert synced == NOTHING | {
        "total_episodes_watched": 3,
        "total_hours_watched": 1,
        "episodes_watched_today": 3,
        "daily_activity": activity(60),
        "all_time_progress": [{"label": "Jan 2026", "cumulative_hours": 1}],
        "shows": [{"show_id": None, "name": None, "artwork_url": None, "episodes_watched": 3}],
    }
    put = EXAMPLE | {"duration_s": 45 * 60}
    named = progress_at(NOW, *(episode(*file, **(put if file[0] == "show_name" else {})) for file in files)).to_dict()
    assert named == synced | {
        "daily_activity": activity(110),
        "shows": [
            {"show_id": "12345", "name": "Example Show", "artwork_url": "https://e/p.jpg", "episodes_watched": 2},
            {"show_id": None, "name": None, "artwork_url": None, "episodes_watched": 1},
        ],
    }


def test_scenario_2_links_of_videos_and_podcasts():
    found = progress_at(
        NOW,
        watch("youtube", "v1", duration_s=1800, **LINGO),
        watch("youtube", "v2", duration_s=1799, **LINGO),
        watch("spotify", "p1", duration_s=3600, **RADIO),
    ).to_dict()
    assert found == NOTHING | {
        "total_hours_watched": 1,
        "youtube_videos_watched": 2,
        "youtube_videos_watched_today": 2,
        "spotify_episodes_watched": 1,
        "spotify_episodes_watched_today": 1,
        "daily_activity": activity(119),
        "all_time_progress": [{"label": "Jan 2026", "cumulative_hours": 1}],
        "youtube_channels": [
            {"channel_id": "UC1", "channel_name": "Lingo", "artwork_url": "https://e/c.jpg", "videos_watched": 2}
        ],
        "spotify_shows": [{"show_id": "sp1", "show_name": "Radio", "artwork_url": None, "episodes_watched": 1}],
    }


def test_movies_are_rows_by_file_name():
    found = progress_at(NOW, watch("movie", "m.mkv", tvdb_id=6, title_name="M", duration_s=7200, enrichment="found"))
    assert (found.total_movies_watched, found.movies_watched_today, found.total_hours_watched) == (1, 1, 2)
    assert found.to_dict()["movies"] == [{"movie_id": "m.mkv", "name": "M", "artwork_url": None}]


@pytest.mark.parametrize("enrichment", ["pending", "failed"])
@pytest.mark.parametrize(("kind", "counted"), [("episode", 20), ("movie", 0), ("youtube", 0), ("spotify", 0)])
def test_what_no_provider_knows_counts_at_once(kind, counted, enrichment):
    columns = {"folder": "f"} if kind == "episode" else {}
    found = progress_at(NOW, watch(kind, "x", enrichment=enrichment, **columns))
    assert found.daily_activity[-1].minutes_watched == counted
    (title,) = (*found.shows, *found.movies, *found.youtube_channels, *found.spotify_shows)
    assert (title.channel_name if kind == "youtube" else title.show_name if kind == "spotify" else title.name) is None


def test_an_episode_of_a_known_series_without_runtime_counts_20_minutes():
    found = progress_at(NOW, episode("a", "1", **EXAMPLE), episode("a", "2", **EXAMPLE))
    assert found.daily_activity[-1].minutes_watched == 40


def test_folders_of_one_tvdb_id_are_one_show():
    rows = [episode(folder, "1", **EXAMPLE) for folder in ("Season 1", "Season 2")]
    assert [show.episodes_watched for show in progress_at(NOW, *rows).shows] == [2]


def test_order_of_titles():
    def channel(name, count, channel_id):
        columns = {"channel_id": channel_id, "title_name": name}
        return [watch("youtube", f"{channel_id}{i}", **columns) for i in range(count)]

    rows = [*channel("b", 2, "1"), *channel("a", 2, "2"), *channel("z", 3, "3"), *channel(None, 2, None)]
    rows += [*channel(None, 2, "0"), *channel("a", 2, "4"), *channel("c", 1, "5")]
    channels = [(c.channel_name, c.channel_id) for c in progress_at(NOW, *rows).youtube_channels]
    assert channels == [("z", "3"), ("a", "2"), ("a", "4"), ("b", "1"), (None, "0"), (None, None), ("c", "5")]
    movies = [watch("movie", file, title_name=name) for file, name in [("1", None), ("2", "b"), ("3", "a"), ("0", "b")]]
    assert [movie.movie_id for movie in progress_at(NOW, *movies).movies] == ["3", "0", "2", "1"]


def test_repeats_of_an_item_count_once_at_the_earliest():
    rows = [episode("f", "x", NOW - timedelta(days=ago)) for ago in (0, 3, 1)]
    found = progress_at(NOW, *rows)
    assert (found.total_episodes_watched, found.episodes_watched_today, found.days_since_first_episode) == (1, 0, 3)


def test_the_same_name_in_two_folders_or_kinds_is_two_items():
    found = progress_at(NOW, episode("a", "x"), episode("b", "x"), watch("movie", "x"), episode("a#b", "x"))
    assert (found.total_episodes_watched, found.total_movies_watched) == (3, 1)


def test_what_cannot_be_answered_is_refused():
    rows = [episode("f", "x"), episode("f", "x", user_id="bob")]
    with pytest.raises(ValueError, match="several users"):
        progress_at(NOW, *rows)
    with pytest.raises(ValueError, match="several users"):
        progress(daily(rows[:1]), core(rows[1:]), now=NOW)
    with pytest.raises(ValueError, match="no UTC offset"):
        progress_at(datetime(2026, 3, 18))  # noqa: DTZ001
    with pytest.raises(ValueError, match="in the days of Pacific/Auckland, not of UTC"):
        progress(daily(rows[:1]), core(rows[:1]), now=NOW, zone=ZoneInfo("UTC"))


def test_only_the_edge_day_is_needed_of_single_watches():
    rows = [episode("f", f"{hour}", NOW - timedelta(hours=hour)) for hour in range(0, 24 * 30, 5)]
    every = core(rows)
    edge = every.filter(every["day"] == edge_day(NOW))
    assert 0 < edge.height < 6
    assert progress(daily(rows), edge, now=NOW) == progress_at(NOW, *rows)
    sums = daily(rows)
    begin, end = edge_window(NOW)
    edge_s = sum(20 * 60 for at in edge["watched_at"] if begin < at < end)
    assert from_sums(by_title(sums), by_kind_and_day(sums), edge_s, now=NOW) == progress_at(NOW, *rows)
    assert edge_day(datetime(2026, 3, 18, 10, 59, tzinfo=UTC), AUCKLAND).day == 11


def test_progress_of_a_range_of_days_is_that_of_its_watches():
    rows = [episode("f", f"{hour}", NOW - timedelta(hours=hour)) for hour in range(0, 24 * 40, 7)]
    today = NOW.astimezone(AUCKLAND).date()
    first, last = today - timedelta(days=30), today - timedelta(days=2)
    inside = [row for row in rows if first <= row["watched_at"].astimezone(AUCKLAND).date() <= last]
    found = progress(between(daily(rows), first, last), between(core(rows), first, last), now=NOW)
    assert found == progress_at(NOW, *inside)
    assert 0 < found.total_episodes_watched < len(rows)
