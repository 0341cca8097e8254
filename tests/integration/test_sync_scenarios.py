"""The tracker's end-to-end scenarios (seed 002): `playhead sync` in a folder, a real endpoint, providers as servers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.commands import typing
from tests.integration.endpoint import SETTINGS, serving
from tests.integration.provider_stubs import KEYS, Answer, Providers, answering, channel, episode, video
from warehouse.access.users import add_user
from warehouse.postgres import open_database

PASSWORD = "pä:ss"
DRAMA, IDOL = 278157, 270065


def series(name: str, minutes: int) -> dict[str, Any]:
    return {"status": "success", "data": {"name": name, "image": "https://i.example/a.jpg", "averageRuntime": minutes}}


def movie(name: str, minutes: int) -> dict[str, Any]:
    return {"status": "success", "data": {"name": name, "image": None, "runtime": minutes}}


@pytest.fixture
def providers() -> Iterator[Providers]:
    with answering() as stub:
        stub.answers |= {
            f"/v4/series/{DRAMA}": series("Free!", 24),
            f"/v4/series/{IDOL}": series("ハイキュー!!", 24),
            "/v4/movies/331904": movie("すずめの戸締まり", 122),
            "/v4/movies/197": movie("君の名は。", 106),
            "/v1/episodes/4qjerzMw8jfD30VOG0tjpK": episode("4qjerzMw8jfD30VOG0tjpK", duration_ms=1_800_000),
            "/v1/episodes/0Xt2hZQFkh0J2fLbqzKjpA": episode("0Xt2hZQFkh0J2fLbqzKjpA", duration_ms=2_400_000),
        }
        for one, minutes in (("9bZkp7q19f0", 4), ("kJQP7kiw5Fk", 3)):
            stub.items[one] = video(one, f"PT{minutes}M", channelId=f"UC_{minutes}", channelTitle="Kanal")
            stub.items[f"UC_{minutes}"] = channel(f"UC_{minutes}", "high")
        yield stub


@pytest.fixture
def endpoint(storage, providers) -> Iterator[httpx.Client]:
    with open_database(storage) as database, database.connect() as connection:
        add_user(connection, name="alice", password=PASSWORD, tenant="default")
    with serving(storage, replace(SETTINGS, providers=providers.settings())) as client:
        client.auth = httpx.BasicAuth("alice", PASSWORD)
        yield client


def sync(folder: Path, endpoint: httpx.Client, *typed: str, code: int = 0) -> str:
    user = {"IMMERSION_TRACKER_USER": "alice", "IMMERSION_TRACKER_PASSWORD": PASSWORD}
    # Without a key of its own, as on another machine.
    bare = {name.upper(): "" for name in KEYS} | {"IMMERSION_TRACKER_API_URL": str(endpoint.base_url)}
    return typing(folder, user | bare, "".join(f"{line}\n" for line in typed), code=code)


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def today(progress: dict[str, Any]) -> int:
    assert [day["days_ago"] for day in progress["daily_activity"]] == [6, 5, 4, 3, 2, 1, 0]
    minutes: int = progress["daily_activity"][-1]["minutes_watched"]
    return minutes


def test_scenario_1_local_episodes_are_synced_and_shows_enriched(endpoint, tmp_path):
    shows = tmp_path / "shows"
    put(shows, "1 [123] Free!/watched/[123] Free! episode 1.mp4", "1 [123] Free!/watched/[123] Free! episode 10.mp4")
    put(shows, "1 [123] Free!/watched/.DS_Store", "2 (123) Haikyuu Part 1/watched/(123) Haikyuu S01E01.mkv")
    put(shows, "3 (123) Haikyuu Part 2/watched/(123) Haikyuu S01E013.mkv")
    put(shows, "3 (123) Haikyuu Part 2/(123) Haikyuu S01E014.mkv")
    (shows / "4 {123} Attack on Titan?").mkdir()
    assert endpoint.get("/progress").json()["shows"] == []

    printed = sync(tmp_path, endpoint, str(DRAMA), str(IDOL), str(IDOL))

    assert "Sent 4 episodes, 4 of them new" in printed
    assert "1 hour in all" in printed
    assert sorted(folder.name[0] for folder in shows.iterdir()) == ["3", "4"]
    assert [path.name for path in shows.rglob("*.*")] == ["(123) Haikyuu S01E014.mkv"]
    progress = endpoint.get("/progress").json()
    assert (progress["total_episodes_watched"], progress["episodes_watched_today"]) == (4, 4)
    assert (progress["total_hours_watched"], today(progress)) == (1, 96)
    assert progress["weekly_trend_percentage"] is None
    counted = {(show["show_id"], show["name"], show["episodes_watched"]) for show in progress["shows"]}
    assert counted == {(str(DRAMA), "Free!", 2), (str(IDOL), "ハイキュー!!", 2)}
    assert [show["tvdb_id"] for show in endpoint.get("/shows").json()["shows"]] == [DRAMA, IDOL, IDOL]

    put(shows, "3 (123) Haikyuu Part 2/watched/(123) Haikyuu S01E013.mkv")
    assert "Sent 1 episodes, 0 of them new" in sync(tmp_path, endpoint)
    assert endpoint.get("/progress").json() == progress


def test_scenario_2_links_are_synced_and_the_list_is_cleared(endpoint, tmp_path):
    listed = tmp_path / "watched.txt"
    listed.write_text(
        "https://www.youtube.com/watch?v=9bZkp7q19f0\nhttps://www.youtube.com/watch?v=kJQP7kiw5Fk&t=30s\n"
        "https://open.spotify.com/episode/4qjerzMw8jfD30VOG0tjpK\n"
        "https://open.spotify.com/episode/0Xt2hZQFkh0J2fLbqzKjpA?si=a1b2c3\n"
    )
    printed = sync(tmp_path, endpoint)
    assert "Sent 2 YouTube videos, 2 of them new" in printed
    assert "Sent 2 Spotify episodes, 2 of them new" in printed
    assert listed.read_bytes() == b""
    progress = endpoint.get("/progress").json()
    assert (progress["youtube_videos_watched"], progress["spotify_episodes_watched"]) == (2, 2)
    assert {one["channel_id"]: one["videos_watched"] for one in progress["youtube_channels"]} == {"UC_4": 1, "UC_3": 1}
    assert [(one["show_name"], one["episodes_watched"]) for one in progress["spotify_shows"]] == [("日本語ラジオ", 2)]
    assert (today(progress), progress["total_hours_watched"]) == (77, 1)


def test_movies_are_asked_for_before_they_are_synced(endpoint, tmp_path):
    put(tmp_path / "movies" / "watched", "suzume.mp4", "your_name.mkv")
    printed = sync(tmp_path, endpoint, "331904", "197")
    assert "Sent 2 movies, 2 of them new" in printed
    assert list((tmp_path / "movies" / "watched").iterdir()) == []
    progress = endpoint.get("/progress").json()
    assert {one["movie_id"]: one["name"] for one in progress["movies"]} == {
        "suzume": "すずめの戸締まり",
        "your_name": "君の名は。",
    }
    assert (today(progress), progress["total_hours_watched"]) == (228, 3)


def test_an_id_that_tvdb_does_not_know_is_asked_again_and_an_outage_lets_it_wait(endpoint, providers, tmp_path):
    put(tmp_path / "shows", "a/watched/1.mkv", "b/watched/1.mkv")
    providers.answers["/v4/series/7"] = Answer(500)
    printed = sync(tmp_path, endpoint, "99", str(DRAMA), "7")
    assert "(404)" in printed
    assert "(502)" in printed
    assert "20 minutes an episode until it has one: b" in printed
    assert not any((tmp_path / "shows").iterdir())
    assert today(endpoint.get("/progress").json()) == 24 + 20
