"""Sums kept with every watch equal those of all watches and of a rebuild from raw, whatever came in what order."""

import dataclasses
import json
import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.integration.provider_stubs import channel, episode, listed, video
from tests.integration.tracker import NOW, movie, series
from warehouse.datasets.dataset import Dataset
from warehouse.datasets.watches import RAW_METADATA, RAW_WATCHES
from warehouse.metrics import watch_descriptions
from warehouse.metrics.progress import Progress, from_watches
from warehouse.providers import described
from warehouse.settings import StorageSettings
from warehouse.watches import described_watches, watching
from warehouse.watches.describing import Answer, store
from warehouse.watches.progress_reading import progress

ZONES = ("Pacific/Auckland", "America/New_York")
Body = tuple[str, dict[str, Any]]

few = st.sampled_from
SYNCS = st.lists(st.tuples(few(["f", "g#/"]), few(["1", "2", "#"])), max_size=4).map(
    lambda found: ("sync", {"episodes": [{"folder_name": folder, "file_name": name} for folder, name in found]})
)
MOVIES = st.lists(few([("a", 1), ("b", 2)]), max_size=3).map(
    lambda found: ("syncmovies", {"movies": [{"file_name": name, "tvdb_id": number} for name, number in found]})
)
VIDEOS = st.lists(few(["v1", "v2", "v3"]), max_size=4).map(lambda found: ("syncyoutube", {"video_ids": found}))
PODCASTS = st.tuples(st.lists(few(["e1", "e2", "e3"]), max_size=3), st.booleans()).map(
    lambda found: ("syncspotify", {"episode_ids": found[0], "backfill": found[1]})
)
BODIES = st.one_of(SYNCS, MOVIES, VIDEOS, PODCASTS)
SHOWS = st.tuples(few(["f", "g#/"]), few([1, 2])).map(
    lambda found: ("show", {"folder_name": found[0], "tvdb_id": found[1]})
)
IMPORTED = [("episode", "f", "1"), ("youtube", None, "v1"), ("movie", None, "a")]
IMPORTS = st.lists(
    st.tuples(few(IMPORTED), st.integers(1, 400), few([None, 60])),
    max_size=3,
).map(
    lambda found: (
        "trakt",
        {
            "watches": [
                {"kind": kind, "folder": folder, "item": item, "duration_s": length, "tvdb_id": 1 if folder else None}
                | {"watched_at": (NOW - timedelta(days=days)).isoformat(), "title": "T", "language": "ko"}
                for (kind, folder, item), days, length in found
            ]
        },
    )
)


def answer(kind: str, one: str, body: object, parent: str | None = None) -> Answer:
    status = "failed" if body is None else "found"
    return Answer(kind, one, status, json.dumps(body).encode(), parent)


ANSWERS = st.one_of(
    st.builds(answer, st.just("tvdb/series"), few(["1", "2"]), few([series("S", 24), series("S", 0), None])),
    st.builds(answer, st.just("tvdb/movie"), few(["1", "2"]), few([movie("M", 90), None])),
    few([*(answer("youtube/video", f"v{n}", video(f"v{n}", channelId=f"UC{n // 2}")) for n in (1, 2, 3))]),
    few([answer("youtube/channel", "UC1", channel("UC1", "high")), answer("youtube/video", "v3", None)]),
    few([answer("spotify/episode", f"e{n}", episode(f"e{n}", release_date=f"2021-03-0{n}")) for n in (1, 2, 3)]),
    few([answer("spotify/show_episode", f"e{n}", listed(f"e{n}", release_date="2021-03"), "show1") for n in (1, 4)]),
)
LANDED = st.tuples(few(["u", "w"]), st.integers(0, 200), st.one_of(BODIES, SHOWS, IMPORTS))


def bounded(examples: int) -> Any:
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
    )


def land(connection: psycopg.Connection, tenant: str, user: str, now: datetime, body: Body) -> int:
    route, content = body
    given = {"tenant": tenant, "user_id": user, "route": route, "body": json.dumps(content).encode()}
    return watching.land(connection, **given, now=now, default_zone=ZONES[0]).added  # type: ignore[arg-type]


def read(connection: psycopg.Connection, storage: StorageSettings, tenant: str, user: str, zone: str) -> Progress:
    return progress(connection, dataclasses.replace(storage, time_zone=zone), tenant, user, NOW + timedelta(days=9))


def raw(connection: psycopg.Connection, dataset: Dataset) -> pl.DataFrame:
    found = connection.execute("SELECT record FROM outbox WHERE dataset = %s ORDER BY id", (dataset.name,)).fetchall()
    records = [json.loads(record) for (record,) in found]
    for record in records:
        record["received_at"] = datetime.fromisoformat(record["received_at"])
    return pl.DataFrame(records, schema=dataset.schema())


@bounded(10)
@given(bodies=st.lists(BODIES, min_size=1, max_size=6), data=st.data())
def test_any_order_with_repeats_gives_the_same_progress(
    connection: psycopg.Connection, storage: StorageSettings, bodies: list[Body], data: st.DataObject
) -> None:
    tenant = uuid.uuid4().hex
    shuffled = data.draw(st.permutations(bodies + data.draw(st.lists(few(bodies), max_size=3))))
    added = sum(land(connection, tenant, "u", NOW, body) for body in bodies)
    before = read(connection, storage, tenant, "u", ZONES[0])
    assert sum(land(connection, tenant, "w", NOW, body) for body in shuffled) == added
    assert (
        read(connection, storage, tenant, "w", ZONES[0]) == before == read(connection, storage, tenant, "u", ZONES[0])
    )


@bounded(20)
@given(steps=st.lists(st.one_of(LANDED, ANSWERS), min_size=1, max_size=12))
def test_sums_and_rows_are_those_of_a_rebuild_from_raw(
    connection: psycopg.Connection, storage: StorageSettings, steps: list[Any]
) -> None:
    tenant = uuid.uuid4().hex
    for index, step in enumerate(steps):
        if isinstance(step, Answer):
            store(connection, [step], NOW + timedelta(minutes=index))
        else:
            user, hours, body = step
            land(connection, tenant, user, NOW + timedelta(hours=hours), body)
    said = watch_descriptions.newest(described.metadata(raw(connection, RAW_METADATA)))
    rebuilt = watch_descriptions.core(raw(connection, RAW_WATCHES).filter(pl.col("tenant") == tenant), said)
    held = described_watches.watches(connection, "tenant = %(tenant)s", tenant=tenant)
    key = ["user_id", "kind", "folder", "item"]
    assert_frame_equal(described_watches.describe(connection, held).sort(key), rebuilt.sort(key))
    for user in ("u", "w"):
        own = rebuilt.filter(pl.col("user_id") == user)
        for zone in ZONES:
            expected = from_watches(own, now=NOW + timedelta(days=9), zone=ZoneInfo(zone))
            assert read(connection, storage, tenant, user, zone) == expected
