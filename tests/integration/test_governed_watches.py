"""Watches are retained, forgotten and rebuilt like sessions: from raw alone, with their sums, in every table."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import URL

from playhead import governance
from tests.integration import governing
from tests.integration.populated import build
from tests.integration.prepared import Prepared, prepared
from tests.integration.provider_stubs import episode, listed, video
from tests.integration.searching import places
from tests.integration.tracker import files, movie, series
from warehouse.access import users
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES
from warehouse.governance.rebuilding import rebuild, verify
from warehouse.governance.retention import retain
from warehouse.landing import outbox
from warehouse.landing.tombstones import Subject
from warehouse.policies import Policy, defaults
from warehouse.store import Store
from warehouse.watches import describing, goal_setting, watching
from warehouse.watches.describing import Answer

QUIET = Console(quiet=True)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WHO, OTHER = "watcher-who-leaves", "watcher-who-stays"
HERS = "an-episode-of-hers.mkv"
TABLES = (
    *("watches", "shows", "backfills", "watchers", "metadata"),
    *("progress_days", "progress_titles", "progress_instants", "out_progress_daily"),
)

BODIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("sync", files("Dark", "e1", "e2")),
    ("show", {"folder_name": "Dark", "tvdb_id": 370}),
    ("syncmovies", {"movies": [{"file_name": "film.mkv", "tvdb_id": 9}]}),
    ("syncyoutube", {"video_ids": ["v1", "v2"]}),
    ("syncspotify", {"episode_ids": ["e2"], "backfill": True}),
)
HER_SYNC = files("Dark", HERS)


def sync(store: Store, user: str, route: str, given: object, now: datetime) -> int:
    landed = {"tenant": "default", "user_id": user, "route": route, "body": json.dumps(given).encode()}
    with store.database.connect() as connection:
        zone = store.settings.time_zone
        return watching.land(connection, **landed, now=now, default_zone=zone).added  # type: ignore[arg-type]


def answer(kind: str, one: str, said: object, parent: str | None = None) -> Answer:
    return Answer(kind, one, "found", json.dumps(said).encode(), parent)


def seal(store: Store) -> None:
    with store.database.connect() as connection:
        outbox.seal(connection, store.lake)


def derive(store: Store) -> None:
    seal(store)
    build(store)


def rows(store: Store, *tables: str) -> dict[str, list[str]]:
    with store.database.connect() as connection:
        return {
            table: sorted(row[0] for row in connection.execute(f"SELECT held::text FROM {table} AS held".encode()))
            for table in tables or TABLES
        }


def fill(store: Store) -> None:
    """Two watchers, one of whom synced a day after the other; some of it is sealed, some waits."""
    at = replace(store, settings=replace(store.settings, fixed_now=NOW))
    for day, user in enumerate((OTHER, WHO)):
        with at.database.connect() as connection:
            users.add_user(connection, name=user, password="p", tenant="default")
            goal_setting.set_goals(connection, at.settings, user, [("day", None, 30)])
        for hour, (route, given) in enumerate(BODIES):
            sync(at, user, route, given, FIRST + timedelta(days=day, hours=hour))
    answers = [
        answer("tvdb/series", "370", series("Dark")),
        answer("tvdb/movie", "9", movie("Film")),
        answer("youtube/video", "v1", video("v1")),
        answer("spotify/episode", "e2", episode("e2", release_date="2021-03-02")),
        answer("spotify/show_episode", "e1", listed("e1", release_date="2021-03-01"), "show1"),
    ]
    with at.database.connect() as connection:
        describing.store(connection, answers, FIRST + timedelta(days=3))
    seal(at)
    sync(at, OTHER, "sync", files("Dark", "e3"), NOW)
    sync(at, WHO, "sync", HER_SYNC, NOW)


@pytest.fixture(scope="module")
def home(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with prepared(server_url, template, tmp_path_factory.mktemp("watched") / "home", fill) as made:
        yield made


@pytest.fixture
def filled(home: Prepared, tmp_path: Path) -> Iterator[Store]:
    with home.copied(tmp_path / "home", NOW) as store:
        yield store


def test_a_forgotten_watcher_is_nowhere_and_the_others_are_as_before(filled: Store) -> None:
    derive(filled)
    before = rows(filled)
    assert len(places(filled, WHO)) > 8
    governance.forget(QUIET, filled.settings, Subject("user", "default", WHO))
    assert places(filled, WHO) == places(filled, HERS) == []
    assert rows(filled) == {table: [row for row in held if WHO not in row] for table, held in before.items()}
    assert list(verify(filled)) == []
    page = filled.settings.reports_dir / "default" / "progress.html"
    assert OTHER in page.read_text()

    assert sync(filled, WHO, "sync", HER_SYNC, NOW) == 0
    rebuild(filled)
    assert places(filled, WHO) == places(filled, HERS) == []
    assert sync(filled, WHO, "sync", files("Dark", "another"), NOW) == 1
    assert list(verify(filled)) == []


@pytest.mark.parametrize("sealed", [True, False])
def test_what_differs_from_raw_is_found_and_mended(filled: Store, sealed: bool) -> None:
    if sealed:
        seal(filled)
    derive(filled)
    assert list(verify(filled)) == []
    before = rows(filled)
    wrong = {
        "watches: 0 missing, 0 too many, 1 changed": "UPDATE watches SET watched_at = now() WHERE item = 'e3'",
        "shows: 1 missing, 0 too many, 0 changed": f"DELETE FROM shows WHERE user_id = '{WHO}'",
        "metadata: 0 missing, 0 too many, 1 changed": "UPDATE metadata SET duration_s = 1 WHERE id = '370'",
        "backfills: 2 missing, 0 too many, 0 changed": "TRUNCATE backfills",
        "progress_titles: 0 missing, 0 too many, 1 changed": "UPDATE progress_titles SET watched_s = 0 "
        f"WHERE title_id = '370' AND user_id = '{WHO}'",
        "progress_days of 2026-06-01: 1 missing, 1 too many, 0 changed": "UPDATE progress_days SET language = 'xx' "
        f"WHERE day = '2026-06-01' AND user_id = '{WHO}'",
        "out_progress_daily in Postgres of 2026-06-01: 0 missing, 0 too many, 2 changed": "UPDATE out_progress_daily "
        "SET items = 7 WHERE day = '2026-06-01'",
    }
    with filled.database.connect() as connection:
        for statement in wrong.values():
            connection.execute(statement.encode())
    assert {str(difference) for difference in verify(filled)} == set(wrong)
    list(rebuild(filled))
    assert rows(filled) == before
    assert list(verify(filled)) == []


def test_everything_comes_back_from_raw_alone(filled: Store) -> None:
    derive(filled)
    before = rows(filled)
    with filled.database.connect() as connection:
        connection.execute(f"TRUNCATE {', '.join(TABLES)}".encode())
    assert len(list(verify(filled))) >= len(TABLES)
    list(rebuild(filled))
    assert rows(filled) == before


def test_watches_never_expire_unless_a_policy_says_so(filled: Store) -> None:
    derive(filled)
    before = rows(filled)
    assert retain(filled).rows["raw_watches"] == 0
    assert rows(filled) == before

    policy = Policy("watches", 30)
    kept = replace(filled.settings, retention=(*(p for p in defaults(90) if p.kind != "watches"), policy))
    short = replace(filled, settings=kept)
    assert retain(short, dry_run=True).rows["raw_watches"] == 10
    assert rows(filled) == before
    for point, call in (
        ("after watches are mended", 5),
        ("after days are filtered", 1),
        ("after days are replaced", 1),
    ):
        with governing.dying_at(point, call):
            retain(short)
    retain(short)
    left = rows(filled, "watches", "shows", "backfills")
    assert [len(held) for held in left.values()] == [2, 2, 0]
    assert filled.lake.read(RAW_WATCHES).height == filled.lake.read(CORE_WATCHES).height == 2
    assert filled.lake.read(RAW_METADATA).height == 5
    assert filled.lake.read(OUT_PROGRESS_DAILY)["items"].sum() == 2
    assert list(verify(short)) == []
