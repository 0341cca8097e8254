"""What providers do to a sync: names and lengths when they answer, pending items when not, never a lost one."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import URL

from tests.integration.provider_stubs import Answer, channel, episode, listed, video
from tests.integration.tracker import NOW, Tracker, Watcher, files, movie, open_tracker, series, tracking
from warehouse.providers.catalog import Catalog
from warehouse.settings import StorageSettings
from warehouse.watches.enriching import enrich


@pytest.fixture(scope="module")
def tracker(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    with open_tracker(server_url, template, tmp_path_factory.mktemp("tracker")) as opened:
        yield opened


@pytest.fixture
def client(tracker: Tracker) -> Watcher:
    return tracker.watcher()


def retry(tracker: Tracker) -> None:
    """Ask again for everything that is pending, as is done on a schedule."""

    async def run() -> None:
        async with Catalog.open(tracker.providers.settings()) as catalog:
            await enrich(tracker.database, catalog, NOW, within_s=10)

    asyncio.run(run())


def shown(client: Watcher, field: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/progress").json()[field]
    return found


def test_a_series_describes_what_was_synced_before_and_after(client: Watcher, tracker: Tracker) -> None:
    tracker.providers.answers |= {"/v4/series/81189": series("ブレイキング", 61), "/v4/series/1": series("Short", 0)}
    client.post("/sync", json=files("bb", *map(str, range(6))))
    client.post("/sync", json=files("bb S2", *map(str, range(3))))
    assert client.get("/progress").json()["total_hours_watched"] == 3
    for folder in ("bb", "bb S2"):
        assert client.put("/show", json={"folder_name": folder, "tvdb_id": 81189}).json() == {}
    client.post("/sync", json=files("bb", "6"))
    [show] = shown(client, "shows")
    assert show == {
        "show_id": "81189",
        "name": "ブレイキング",
        "artwork_url": "https://art.example/ブレイキング.jpg",
        "episodes_watched": 10,
    }
    assert client.get("/progress").json()["daily_activity"][-1]["minutes_watched"] == 610
    assert tracker.providers.paths().count("/v4/series/81189") == 1
    listed_shows = client.get("/shows").json()["shows"]
    assert [(show["tvdb_id"], show["tvdb_name"]) for show in listed_shows] == [(81189, "ブレイキング")] * 2
    client.put("/show", json={"folder_name": "bb S2", "tvdb_id": 1})
    progress = client.get("/progress").json()
    assert [show["show_id"] for show in progress["shows"]] == ["81189", "1"]
    assert progress["daily_activity"][-1]["minutes_watched"] == 7 * 61 + 3 * 20


def test_a_show_that_cannot_be_named_stays_as_it_is(client: Watcher, tracker: Tracker) -> None:
    client.post("/sync", json=files("f", "1"))
    before = client.get("/progress").content, client.get("/shows").content
    unknown = client.put("/show", json={"folder_name": "f", "tvdb_id": 404})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert "tvdb_id 404" in unknown.json()["error"]["message"]
    tracker.providers.faults["/v4/series/502"] = [Answer(500)] * 4
    away = client.put("/show", json={"folder_name": "f", "tvdb_id": 502})
    assert (away.status_code, away.json()["error"]["code"]) == (502, "PROVIDER_ERROR")
    assert (client.get("/progress").content, client.get("/shows").content) == before


def test_movies_come_from_either_catalogue(client: Watcher, tracker: Tracker) -> None:
    tracker.providers.answers |= {
        "/v4/movies/674": movie("Goblet", 157),
        "/3/movie/603": {"id": 603, "original_title": "Matrix", "poster_path": "/m.jpg", "runtime": 136},
    }
    movies = [("b", "tvdb_id", 674), ("a", "tmdb_id", 603), ("none", "tvdb_id", 1)]
    body = {"movies": [{"file_name": name, field: number} for name, field, number in movies]}
    assert client.post("/syncmovies", json=body).json() == {"movies_added": 3}
    assert [(one["movie_id"], one["name"]) for one in shown(client, "movies")] == [
        ("b", "Goblet"),
        ("a", "Matrix"),
        ("none", None),
    ]
    assert client.get("/progress").json()["daily_activity"][-1]["minutes_watched"] == 157 + 136


FAULTS = [Answer(429, headers={"Retry-After": "60"}), Answer(500), Answer(body=b"{"), Answer(hang=True)]


@pytest.mark.parametrize("fault", FAULTS, ids=["429", "500", "malformed", "timeout"])
def test_a_provider_that_fails_loses_nothing(server_url: URL, template: str, tmp_path: Any, fault: Answer) -> None:
    with open_tracker(server_url, template, tmp_path) as tracker:
        client, providers = tracker.watcher(), tracker.providers
        providers.items = {"v1": video("v1"), "UC_1": channel("UC_1", "high")}
        providers.answers |= {"/v4/movies/1": movie("M", 90), "/v1/episodes/e1": episode("e1")}
        paths = ("/youtube/v3/videos", "/v1/episodes/e1", "/v4/movies/1")
        providers.faults.update({path: [fault] * 4 for path in paths})
        assert client.post("/syncyoutube", json={"video_ids": ["v1"]}).json() == {"videos_added": 1}
        assert client.post("/syncspotify", json={"episode_ids": ["e1"]}).json() == {"episodes_added": 1}
        movies = {"movies": [{"file_name": "m", "tvdb_id": 1}]}
        assert client.post("/syncmovies", json=movies).json() == {"movies_added": 1}
        pending = client.get("/progress").json()
        assert pending["youtube_channels"][0]["channel_name"] is None
        assert (pending["youtube_videos_watched_today"], pending["spotify_episodes_watched"]) == (1, 1)
        assert pending["daily_activity"][-1]["minutes_watched"] == 0
        providers.faults.clear()
        providers.released.set()
        retry(tracker)
        known = client.get("/progress").json()
        assert [one["channel_name"] for one in known["youtube_channels"]] == ["Channel UC_1"]
        assert [one["show_name"] for one in known["spotify_shows"]] == ["日本語ラジオ"]
        assert [one["name"] for one in known["movies"]] == ["M"]
        assert known["daily_activity"][-1]["minutes_watched"] == (630 + 388 + 5400) // 60


def test_one_bad_id_fails_alone_and_known_ones_are_not_asked_for(client: Watcher, tracker: Tracker) -> None:
    ids = [f"k{number:02}" for number in range(60)]
    tracker.providers.items |= {one: video(one, channelId="UC_k") for one in ids} | {"UC_k": channel("UC_k", "default")}
    tracker.providers.poison["bad"] = Answer(400, {"error": {"code": 400}})
    assert client.post("/syncyoutube", json={"video_ids": [*ids, "bad", "gone"]}).json() == {"videos_added": 62}
    channels = {one["channel_id"]: one["videos_watched"] for one in shown(client, "youtube_channels")}
    assert channels == {"UC_k": 60, None: 2}
    asked = len(tracker.providers.asked)
    other = tracker.watcher()
    other.post("/syncyoutube", json={"video_ids": ids})
    assert len(tracker.providers.asked) == asked
    assert [one["videos_watched"] for one in shown(other, "youtube_channels")] == [60]


def test_without_keys_everything_stays_pending(storage: StorageSettings) -> None:
    with tracking(storage) as client:
        assert client.post("/syncyoutube", json={"video_ids": ["v"]}).json() == {"videos_added": 1}
        client.post("/sync", json=files("f", "1"))
        assert client.put("/show", json={"folder_name": "f", "tvdb_id": 1}).status_code == 502


def test_a_podcast_is_heard_up_to_an_episode(client: Watcher, tracker: Tracker) -> None:
    dates = {
        "b1": ("2019", "year"),
        "b2": ("2021-03", "month"),
        "b3": ("2021-03-03", "day"),
        "b4": ("2021-03-04", "day"),
    }
    released = {
        one: {"release_date": day, "release_date_precision": precision} for one, (day, precision) in dates.items()
    }
    show = {"id": "pod", "name": "Pod", "images": []}
    tracker.providers.answers |= {
        "/v1/episodes/b3": episode("b3", show=show, **released["b3"]),
        "/v1/episodes/b4": episode("b4", show=show, **released["b4"]),
        "/v1/shows/pod/episodes": {"items": [listed(one, **given) for one, given in released.items()], "next": None},
    }
    assert client.post("/syncspotify", json={"episode_ids": ["b3"]}).json() == {"episodes_added": 1}
    body = {"episode_ids": ["b3"], "backfill": True}
    tracker.providers.faults["/v1/shows/pod/episodes"] = [Answer(500)] * 4
    assert client.post("/syncspotify", json=body).json() == {"episodes_added": 0}
    retry(tracker)
    assert shown(client, "spotify_shows")[0]["episodes_watched"] == 3
    progress = client.get("/progress").json()
    assert (progress["spotify_episodes_watched_today"], progress["days_since_first_episode"]) == (3, 0)
    assert client.post("/syncspotify", json=body).json() == {"episodes_added": 0}
    other = tracker.watcher()
    assert other.post("/syncspotify", json={"episode_ids": ["b4"], "backfill": True}).json() == {"episodes_added": 4}
    released_on = {watch["item"]: watch["released_on"] for watch in other.get("/progress/export").json()["watches"]}
    assert released_on == {"b1": "2019-01-01", "b2": "2021-03-01", "b3": "2021-03-03", "b4": "2021-03-04"}
