"""`playhead sync` against a server that refuses, is busy, or goes away: what was not confirmed stays where it is."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from rich.console import Console

from playhead.syncing import command
from tests.integration.commands import typing
from tests.integration.provider_stubs import Answer, Providers, answering

PROGRESS = {
    **dict.fromkeys(("total_episodes_watched", "total_movies_watched", "total_hours_watched"), 2),
    **dict.fromkeys(("episodes_watched_today", "movies_watched_today"), 2),
    **dict.fromkeys(("youtube_videos_watched_today", "spotify_episodes_watched_today"), 0),
    "days_since_first_episode": 0,
    "weekly_trend_percentage": None,
    "daily_activity": [{"days_ago": n, "minutes_watched": 40 * (n == 0)} for n in range(6, -1, -1)],
    "shows": [{"show_id": None, "name": None, "artwork_url": None, "episodes_watched": 2}],
    "youtube_channels": [],
    "spotify_shows": [],
    "movies": [],
}


USER = {"IMMERSION_TRACKER_USER": "alice", "IMMERSION_TRACKER_PASSWORD": "päss"}


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield


def run(folder: Path, url: str, *, code: int = 0, **environ: str) -> str:
    """Run in a folder, without a terminal; return what was printed."""
    printed = io.StringIO()
    try:
        done = command.run(
            Console(file=printed, width=200), folder, USER | {"IMMERSION_TRACKER_API_URL": url} | environ
        )
    except click.ClickException as error:
        error.show(printed)
        done = error.exit_code
    assert done == code, printed.getvalue()
    return printed.getvalue()


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def server() -> Iterator[Providers]:
    with answering() as server:
        server.answers |= {"/shows": {"shows": []}, "/progress": PROGRESS}
        yield server


def sent(server: Providers, path: str) -> list[object]:
    return [json.loads(asked.body) for asked in server.asked if asked.path == path]


def test_what_is_sent_and_what_is_no_video(server, tmp_path):
    server.answers["/sync"] = {"episodes_added": 2}
    put(tmp_path, "shows/1 [x] Free!/watched/a.mkv", "shows/1 [x] Free!/watched/a.mp4", "shows/日本/watched/#1.WEBM")
    put(
        tmp_path, "shows/日本/watched/._#1.webm", "shows/日本/watched/note.txt", "shows/next/e.mkv", "shows/日本/e2.mkv"
    )
    printed = run(tmp_path, server.origin)
    episodes = [{"folder_name": "1 [x] Free!", "file_name": "a"}, {"folder_name": "日本", "file_name": "#1"}]
    assert sent(server, "/sync") == [{"episodes": episodes}]
    assert left(tmp_path) == [
        "shows/next/e.mkv",
        "shows/日本/e2.mkv",
        "shows/日本/watched/._#1.webm",
        "shows/日本/watched/note.txt",
    ]
    assert "Deleted completed show: 1 [x] Free!" in printed
    assert "2 episodes of titles without a name yet" in printed
    assert "Today      │██████████████████████████████     40 m" in printed


def test_a_busy_server_is_waited_for_and_nothing_is_sent_twice_at_once(server, tmp_path):
    put(tmp_path, "shows/a/watched/1.mkv")
    server.answers["/sync"] = {"episodes_added": 1}
    server.faults["/sync"] = [Answer(503, {"error": {"message": "later"}}, {"Retry-After": "0"}), Answer(drop=True)]
    printed = run(tmp_path, server.origin)
    assert "the server is busy: later" in printed
    assert len(sent(server, "/sync")) == 3
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(401, {"message": "Unauthorized"}), "does not know this user"),
        (Answer(503, {"error": {"message": "later"}}, {"Retry-After": "3600"}), "the server is busy: later"),
        (Answer(200, b"<html>"), "does not answer as a tracker"),
        (Answer(200, {"added": 1}), "does not answer as a tracker"),
    ],
    ids=["wrong password", "too long a wait", "a web page", "another service"],
)
def test_what_is_not_confirmed_stays(server, tmp_path, answer, says):
    put(tmp_path, "shows/a/watched/1.mkv", "movies/watched/m.mkv")
    (tmp_path / "watched.txt").write_text("https://youtu.be/dQw4w9WgXcQ\n")
    before = left(tmp_path)
    server.faults["/sync"] = [answer]
    printed = run(tmp_path, server.origin, code=1)
    assert printed.splitlines()[-1].startswith("Error: ")
    assert says in printed
    assert "Traceback" not in printed
    assert left(tmp_path) == before
    assert (tmp_path / "watched.txt").read_text() == "https://youtu.be/dQw4w9WgXcQ\n"


def test_a_refused_part_stays_and_the_others_go(server, tmp_path):
    put(tmp_path, "shows/a/watched/1.mkv")
    (tmp_path / "watched.txt").write_text(
        "# my list\nhttps://youtu.be/dQw4w9WgXcQ\n\nhttps://open.spotify.com/episode/2MAi0BvDc6GTFvKFPXnkCL?si=1\nwhat\n"
    )
    server.answers["/sync"] = Answer(400, {"error": {"code": "INVALID_SCHEMA", "message": "episodes[0] is too long"}})
    server.answers["/syncyoutube"] = Answer(400, {"error": {"message": "no"}})
    server.answers["/syncspotify"] = {"episodes_added": 1}
    printed = run(tmp_path, server.origin, code=1)
    assert "1 episodes were refused and stay: episodes[0] is too long (400)" in printed
    assert "no video or episode in 'what'" in printed
    assert left(tmp_path) == ["shows/a/watched/1.mkv", "watched.txt"]
    assert (tmp_path / "watched.txt").read_text() == "# my list\nhttps://youtu.be/dQw4w9WgXcQ\n\nwhat\n"


def test_a_line_goes_when_all_that_it_names_is_confirmed(server, tmp_path):
    both = "https://youtu.be/dQw4w9WgXcQ https://open.spotify.com/episode/2MAi0BvDc6GTFvKFPXnkCL\r\n"
    (tmp_path / "watched.txt").write_text(both + "9bZkp7q19f0\n", newline="")
    server.answers |= {"/syncyoutube": {"videos_added": 2}, "/syncspotify": Answer(400, {"error": {"message": "no"}})}
    run(tmp_path, server.origin, code=1)
    assert (tmp_path / "watched.txt").read_bytes() == both.encode()
    server.answers["/syncspotify"] = {"episodes_added": 1}
    run(tmp_path, server.origin)
    assert (tmp_path / "watched.txt").read_bytes() == b""


def test_a_client_that_is_killed_leaves_what_was_not_confirmed(server, tmp_path):
    put(tmp_path, "shows/a/watched/1.mkv")
    server.answers["/sync"] = Answer(hang=True)
    url = {"IMMERSION_TRACKER_API_URL": server.origin}
    program = [sys.executable, "-m", "playhead", "sync", "--folder", str(tmp_path)]
    with subprocess.Popen(
        program, env=os.environ | USER | url, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline().startswith(b"Found 1 episodes")
        while "/sync" not in server.paths():
            assert client.poll() is None
            time.sleep(0.01)
        client.kill()
    assert left(tmp_path) == ["shows/a/watched/1.mkv"]


def test_without_a_terminal_nothing_is_asked_and_movies_stay(server, tmp_path):
    put(tmp_path, "movies/watched/m.mkv")
    server.answers["/shows"] = {"shows": [{"folder_name": "日本", "tvdb_id": None}]}
    printed = run(tmp_path, server.origin, code=1)
    assert "Without a TVDB id, 20 minutes an episode until it has one: 日本" in printed
    assert "Movie m stays: its TVDB id is needed" in printed
    assert left(tmp_path) == ["movies/watched/m.mkv"]
    assert "/syncmovies" not in server.paths()


def test_ids_are_typed_until_one_is_known(server, tmp_path):
    put(tmp_path, "movies/watched/m.mkv", "movies/watched/n.mkv")
    server.answers |= {"/shows": {"shows": [{"folder_name": "a", "tvdb_id": None}]}, "/syncmovies": {"movies_added": 2}}
    unknown = Answer(404, {"error": {"message": "TVDB knows no series 9"}})
    server.faults["/show"] = [unknown]
    server.answers["/show"] = {}
    printed = typing(
        tmp_path, USER | {"IMMERSION_TRACKER_API_URL": server.origin}, "what\n9\n278157\n331904\ntmdb:603\n"
    )
    assert sent(server, "/show") == [{"folder_name": "a", "tvdb_id": number} for number in (9, 278157)]
    movies = [{"file_name": "m", "tvdb_id": 331904}, {"file_name": "n", "tmdb_id": 603}]
    assert sent(server, "/syncmovies") == [{"movies": movies}]
    assert "a: TVDB knows no series 9 (404)" in printed
    assert left(tmp_path) == []


def test_a_name_is_searched_where_a_key_allows_it(server, tmp_path):
    put(tmp_path, "movies/watched/[grp] Your.Name.mkv")
    hits = [{"name": "君の名は。", "tvdb_id": "197", "year": "2016"}, {"name": "Your Name", "tvdb_id": "198"}]
    server.answers |= {"/v4/search": {"status": "success", "data": hits}, "/syncmovies": {"movies_added": 1}}
    search = {"IMMERSION_TRACKER_TVDB_BASE_URL": server.origin, "TVDB_API_KEY": "tvdb-key-0001"}
    printed = typing(tmp_path, USER | {"IMMERSION_TRACKER_API_URL": server.origin} | search, "kimi no na wa\na\n")
    assert "a  君の名は。 (2016), 197" in printed
    searched = [asked.query["query"] for asked in server.asked if asked.path == "/v4/search"]
    assert searched == ["Your Name", "kimi no na wa"]
    assert sent(server, "/syncmovies") == [{"movies": [{"file_name": "[grp] Your.Name", "tvdb_id": 197}]}]


def test_a_large_collection_is_cleaned_up_as_far_as_it_was_confirmed(server, tmp_path):
    put(tmp_path, *(f"shows/a/watched/{n:04}.mkv" for n in range(1_200)))
    server.answers["/sync"] = Answer(401, {"message": "Unauthorized"})
    server.faults["/sync"] = [Answer(200, {"episodes_added": 500})]
    run(tmp_path, server.origin, code=1)
    assert [len(body["episodes"]) for body in sent(server, "/sync")] == [500, 500]
    assert left(tmp_path) == [f"shows/a/watched/{n:04}.mkv" for n in range(500, 1_200)]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"IMMERSION_TRACKER_USER": ""}, "IMMERSION_TRACKER_USER is not set"),
        ({"IMMERSION_TRACKER_PASSWORD": ""}, "IMMERSION_TRACKER_PASSWORD is not set"),
        ({"IMMERSION_TRACKER_API_URL": "tracker.example"}, "tracker.example/ is not an http or https address"),
    ],
)
def test_what_is_missing_is_one_line(tmp_path, environ, says):
    assert run(tmp_path, "http://127.0.0.1:9", code=1, **environ).splitlines()[-1] == f"Error: {says}"
