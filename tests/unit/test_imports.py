"""Exports of YouTube and Trakt, the real fixtures among them: what becomes a watch, and why the rest does not."""

import json
from pathlib import Path

import pytest

from playhead.imports import takeout, trakt
from playhead.imports.entries import NoWatch, Watch

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
real = pytest.mark.skipif(not DATA.exists(), reason="the exports are not beside the repository")

AT = "2025-01-02T03:04:05.678Z"
VIEW = {
    "header": "YouTube",
    "title": "Watched 日本語 #1",
    "titleUrl": "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "subtitles": [{"name": "Kanal", "url": "https://www.youtube.com/channel/UC8715355955467506833000"}],
    "time": AT,
}
SHOW = {"title": "Chuck", "year": 2007, "ids": {"trakt": 1, "tvdb": 80348}}
MOVIE = {"title": "TRON: Legacy", "year": 2010, "ids": {"tmdb": 20526}}


def split(reader, path):
    entries = json.loads((DATA / path).read_text())
    assert all(reader.is_entry(entry) for entry in entries)
    read = [one for entry in entries for one in reader.read_entry(entry)]
    return [one for one in read if isinstance(one, Watch)], [one for one in read if isinstance(one, NoWatch)]


@real
def test_the_real_takeout_has_seven_views_and_two_posts():
    watches, rest = split(takeout, "takeout/data_sample.json")
    assert len({watch.item for watch in watches}) == 7
    assert watches[-1] == Watch("youtube", "Njw007Zdgw0", "2017-07-22T18:19:06.589Z")
    assert watches[0].title == "TechLinked"
    assert [no.reason.partition(":")[0] for no in rest] == ["titleUrl is no video"] * 2


@real
def test_the_large_takeout_has_removed_videos_and_views_of_one_video():
    watches, rest = split(takeout, "takeout/analytics_sample.json")
    assert (len(watches), len({watch.item for watch in watches}), rest) == (292, 90, [])
    assert sum(watch.title is None for watch in watches) == 10


@real
def test_the_real_trakt_lists_name_one_watch_alike():
    history, none = split(trakt, "trakt/sync/history.json")
    assert none == []
    assert (history[1].folder, history[1].item, history[1].tvdb_id) == ("Parks and Recreation (2009)", "S02E01", 84912)
    movies, _ = split(trakt, "trakt/sync/watched/movies.json")
    assert history[2].item == movies[2].item == "TRON: Legacy (2010)"
    assert history[2].tmdb_id == movies[2].tmdb_id == 20526
    shows, none = split(trakt, "trakt/sync/watched/shows.json")
    assert none == []
    chuck = [watch for watch in shows if watch.folder == "Chuck (2007)"]
    assert [watch.item for watch in chuck] == ["S01E01", "S01E02", "S01E03", "S01E04"]


@real
@pytest.mark.parametrize("name", ["playback.json", "playback/episodes.json", "playback/movies.json"])
def test_what_was_paused_is_no_watch(name):
    watches, rest = split(trakt, f"trakt/sync/{name}")
    assert watches == []
    assert rest
    assert all(no.reason.startswith("paused at ") for no in rest)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"details": [{"name": "From Google Ads"}]}, "an ad"),
        ({"titleUrl": None}, "removed or is private"),
        ({"titleUrl": "https://www.youtube.com/post/Ugkx"}, "no video"),
        ({"titleUrl": "https://open.spotify.com/episode/2MAi0BvDc6GTFvKFPXnkCL"}, "no video"),
        ({"time": None}, "time is missing"),
        ({"time": "yesterday"}, "no ISO 8601"),
        ({"time": "2025-01-02T03:04:05"}, "no UTC offset"),
    ],
)
def test_an_activity_that_is_no_view_says_why(change, reason):
    [no] = takeout.read_entry(VIEW | change)
    assert isinstance(no, NoWatch)
    assert reason in no.reason
    assert no.entry == VIEW | change


def test_a_view_keeps_the_names_it_has():
    assert list(takeout.read_entry(VIEW)) == [
        Watch("youtube", "dQw4w9WgXcQ", AT, name="日本語 #1", title="Kanal", title_id="UC8715355955467506833000")
    ]
    [removed] = takeout.read_entry(VIEW | {"title": f"Watched {VIEW['titleUrl']}", "subtitles": None})
    assert (removed.item, removed.name, removed.title) == ("dQw4w9WgXcQ", None, None)
    assert removed.body() == {"kind": "youtube", "item": "dQw4w9WgXcQ", "watched_at": AT}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"movie": MOVIE}, "watched_at is missing"),
        ({"watched_at": AT, "movie": {"year": 2010}}, "title is missing"),
        ({"watched_at": AT, "movie": None}, "movie is missing"),
        ({"watched_at": AT, "show": SHOW}, "episode is missing"),
        ({"watched_at": AT, "show": SHOW, "episode": {"season": 1}}, "number is missing"),
        ({"watched_at": AT, "show": SHOW, "episode": {"season": True, "number": 1}}, "season is missing"),
        ({"show": SHOW, "seasons": [{"number": 1}]}, "episodes is not a list"),
        ({"show": SHOW, "seasons": "all"}, "seasons is not a list"),
    ],
)
def test_an_entry_of_trakt_that_lacks_something_says_what(entry, reason):
    [no] = trakt.read_entry(entry)
    assert isinstance(no, NoWatch)
    assert reason in no.reason


def test_one_bad_episode_of_a_show_does_not_lose_the_others():
    good = [{"number": n, "plays": 1, "last_watched_at": AT} for n in (1, 3)]
    seasons = [{"number": 0, "episodes": [good[0], {"number": 2}, good[1]]}]
    read = list(trakt.read_entry({"show": SHOW, "seasons": seasons}))
    assert [one.item for one in read if isinstance(one, Watch)] == ["S00E01", "S00E03"]
    assert [one.entry["episode"] for one in read if isinstance(one, NoWatch)] == [{"number": 2}]


def test_a_work_without_ids_or_year_is_named_by_its_title():
    [movie] = trakt.read_entry({"watched_at": AT, "movie": {"title": "名前"}})
    assert movie == Watch("movie", "名前", AT, title="名前")
