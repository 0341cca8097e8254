"""The tracker's landing routes over HTTP: what is counted, what is refused, and that nothing is stored by halves."""

import gzip
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import polars as pl
import pytest
import zstandard
from sqlalchemy import URL

from ingest.recovery import drain
from tests.integration.tracker import BOB, NOW, Tracker, Watcher, files, open_tracker, tracking
from warehouse.datasets.watches import RAW_WATCHES
from warehouse.lake import Lake
from warehouse.settings import StorageSettings

ORIGIN = "https://immersion-tracker.jordansimsmith.com"


@pytest.fixture(scope="module")
def tracker(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    with open_tracker(server_url, template, tmp_path_factory.mktemp("tracker")) as opened:
        yield opened


@pytest.fixture
def client(tracker: Tracker) -> Watcher:
    return tracker.watcher()


def test_items_are_counted_once(client: Watcher) -> None:
    body = files("夜ふかし#1/2", "第1話 #a", "第1話 #a", "b/c", "é", "e\u0301")
    assert client.post("/sync", json=body).json() == {"episodes_added": 4}
    assert client.post("/sync", json=body).json() == {"episodes_added": 0}
    assert client.post("/sync", json=files("夜ふかし", "#1/2")).json() == {"episodes_added": 1}
    assert client.post("/sync", json={"episodes": []}).json() == {"episodes_added": 0}
    videos = {"video_ids": ["v1", "v2", "v1"], "sent_by": {"version": 10**290, "size": 1.5}}
    assert client.post("/syncyoutube", json=videos).json() == {"videos_added": 2}
    assert client.post("/syncspotify", json={"episode_ids": ["v1", "v1"]}).json() == {"episodes_added": 1}
    movies = {"movies": [{"file_name": "m", "tvdb_id": 1}, {"file_name": "n", "tmdb_id": 1}]}
    assert client.post("/syncmovies", json=movies).json() == {"movies_added": 2}
    shows = client.get("/shows").json()["shows"]
    assert [show["folder_name"] for show in shows] == ["夜ふかし", "夜ふかし#1/2"]
    assert shows[0] == {"folder_name": "夜ふかし", "tvdb_id": None, "tvdb_name": None, "tvdb_image": None}
    progress = client.get("/progress?user=alice").json()
    assert (progress["total_episodes_watched"], progress["total_hours_watched"]) == (5, 1)
    assert progress["shows"] == [{"show_id": None, "name": None, "artwork_url": None, "episodes_watched": 5}]


def test_ten_thousand_items_in_one_request(client: Watcher, tracker: Tracker) -> None:
    body = files("f", *(f"episode {number}" for number in range(10_000)))
    assert client.post("/sync", json=body).json() == {"episodes_added": 10_000}
    assert client.post("/sync", json=body).json() == {"episodes_added": 0}
    assert client.get("/progress").json()["total_hours_watched"] == 10_000 // 3
    assert tracker.rows("watches", client) == 10_000


def test_concurrent_syncs_count_each_item_once(client: Watcher) -> None:
    added: list[int] = []

    def send() -> None:
        answer = client.post("/syncyoutube", json={"video_ids": [f"v{number}" for number in range(50)]})
        added.append(answer.json()["videos_added"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [0] * 7 + [50]
    assert client.get("/progress").json()["youtube_videos_watched"] == 50


def test_users_see_their_own(client: Watcher, tracker: Tracker) -> None:
    other = tracker.watcher()
    client.post("/sync", json=files("f", "1"))
    before = client.get("/progress").content
    assert other.post("/sync", json=files("f", "1", "2")).json() == {"episodes_added": 2}
    assert other.post("/sync", json=files("g", "1")).json() == {"episodes_added": 1}
    assert client.get("/progress").content == before
    assert client.put("/show", json={"folder_name": "g", "tvdb_id": 1}).status_code == 404


REFUSED: list[tuple[str, Any, str]] = [
    ("/sync", {}, "Missing required field: episodes"),
    ("/sync", {"episodes": None}, "episodes must be a list"),
    ("/sync", {"episodes": [*files("f", "1", "2")["episodes"], {"folder_name": "f"}]}, "episodes[2].file_name"),
    ("/sync", {"episodes": [{"folder_name": "f", "file_name": 1}]}, "episodes[0].file_name must be a string"),
    ("/sync", files("f", "1", "\u2003"), "episodes[1].file_name must not be blank"),
    ("/sync", files("f", "x" * 256), "episodes[0].file_name must be at most 255 characters"),
    ("/sync", files("f", "a\u0000"), "episodes[0].file_name must not contain U+0000"),
    ("/syncmovies", {"movies": [{"file_name": "m"}]}, "movies[0] must have either tvdb_id or tmdb_id"),
    ("/syncmovies", {"movies": [{"file_name": "m", "tvdb_id": 1, "tmdb_id": 1}]}, "movies[0] must have either"),
    ("/syncmovies", {"movies": [{"file_name": "m", "tmdb_id": 0}]}, "movies[0].tmdb_id must be >= 1"),
    ("/syncyoutube", {"video_ids": ["v", None]}, "video_ids[1] must be a string"),
    ("/syncyoutube", {"video_ids": [""]}, "video_ids[0] must not be blank"),
    ("/syncspotify", {"episode_ids": ["e"], "backfill": "yes"}, "backfill must be true or false"),
    ("/syncspotify", [], "Body must be a JSON object"),
]


def test_a_bad_body_stores_nothing(client: Watcher, tracker: Tracker) -> None:
    for path, body, message in REFUSED:
        answer = client.post(path, json=body)
        assert answer.status_code == 400, (path, body)
        error = answer.json()["error"]
        assert error["code"] == "INVALID_SCHEMA"
        assert message in error["message"]
    assert client.post("/sync", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert client.put("/show", json={"folder_name": "f", "tvdb_id": "1"}).status_code == 400
    tables = ("watches", "shows", "progress_days", "progress_titles", "progress_instants")
    assert [tracker.rows(table, client) for table in tables] == [0] * 5
    with tracker.database.connect() as connection:
        refused = connection.execute("SELECT FROM outbox WHERE record LIKE '%%Missing%%' OR record LIKE '%%xxxxx%%'")
        assert refused.rowcount == 0


def test_bodies_may_be_compressed_up_to_the_limit(client: Watcher) -> None:
    body = json.dumps(files("f", "1")).encode()
    for encoding, compressed in (("gzip", gzip.compress(body)), ("zstd", zstandard.compress(body))):
        headers = {"Content-Encoding": encoding, "Content-Type": "application/json;charset=UTF-8"}
        assert client.post("/sync", content=compressed, headers=headers).status_code == 200
    large = gzip.compress(b'{"video_ids": ["' + b"x" * (16 << 20) + b'"]}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert client.post("/syncyoutube", content=large, headers=headers).json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert client.post("/sync", content=body, headers={"Content-Type": "text/plain"}).status_code == 415


def test_who_is_not_known_is_told_so_as_the_seed_tells(client: Watcher) -> None:
    paths = ["/sync", "/syncyoutube", "/syncspotify", "/syncmovies"]
    asked = [("POST", path) for path in paths] + [("PUT", "/show"), ("GET", "/shows"), ("GET", "/progress")]
    for method, path in asked:
        answer = httpx.request(method, f"{client.base_url}{path}", json={}, headers={"Origin": ORIGIN})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Basic")
        assert list(answer.json()) == ["message"]
        assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_pages_of_the_configured_origins_may_call(storage: StorageSettings) -> None:
    ask = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "Authorization,Content-Type"}
    with tracking(storage, cors_origins=("https://other.example",)) as client:
        allowed = client.options("/show", headers=ask | {"Origin": "https://other.example"}, auth=None)
        assert allowed.headers["access-control-allow-origin"] == "https://other.example"
        methods, headers = (allowed.headers[f"access-control-allow-{what}"].lower() for what in ("methods", "headers"))
        assert set(methods.split(", ")) == {"get", "post", "put", "options"}
        assert {"authorization", "content-type"} <= set(headers.split(", "))
        landed = client.post("/v1/sessions", json={}, headers={"Origin": "https://other.example"})
        assert landed.headers["access-control-allow-origin"] == "https://other.example"
        foreign = client.get("/progress", headers={"Origin": ORIGIN})
        assert (foreign.status_code, foreign.headers.get("access-control-allow-origin")) == (200, None)


def test_each_user_has_a_rate_limit(storage: StorageSettings) -> None:
    with tracking(storage, rate_limit=2, rate_window_s=3600) as client:
        answers = [client.post("/sync", json=files("f", "1")) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert "by the user" in answers[2].json()["error"]["message"]
        assert int(answers[2].headers["Retry-After"]) > 0
        assert client.post("/sync", json=files("f", "1"), auth=BOB).status_code == 200
        assert client.get("/progress").status_code == 200


def test_what_was_accepted_lies_in_the_lake_as_it_was_sent(client: Watcher, tracker: Tracker) -> None:
    sent = json.dumps(files("é", "#/1"), ensure_ascii=False).encode()
    client.post("/sync", content=sent, headers={"Content-Type": "application/json"})
    client.post("/syncspotify", json={"episode_ids": ["e"]})
    lake = Lake(tracker.storage.lake_url, tracker.storage.dimensions)
    drain(tracker.storage, tracker.database, lake, timeout_s=10)
    raw = lake.scan(RAW_WATCHES).filter(pl.col("user_id") == client.name).sort("ingest_id").collect()
    assert raw["route"].to_list() == ["sync", "syncspotify"]
    assert raw["payload"][0].encode() == sent
    assert raw.select("tenant", "received_at").rows() == [("default", NOW)] * 2
    with tracker.database.connect() as connection:
        assert connection.execute("SELECT FROM outbox").rowcount == 0
