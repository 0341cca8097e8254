"""From landed watches to the published page: core equals Postgres, out equals `/progress`, reruns write nothing."""

import errno
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines import refreshing, reporting, schedules
from pipelines.definitions import build_defs
from pipelines.instance import open_instance
from pipelines.sensors import stale_partitions
from pipelines.staleness import stale_ranges
from pipelines.watch_checks import UNENRICHED_MOST, watches_add_up, watches_fresh, watches_unique
from tests.integration.landed import body, land
from tests.integration.provider_stubs import Answer, Providers, answering, channel, episode, video
from warehouse import building
from warehouse.access import tenants, users
from warehouse.datasets.dataset import Dataset
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES
from warehouse.derivations import PROGRESS_DAILY, WATCHES
from warehouse.lake import Lake
from warehouse.landing import outbox
from warehouse.metrics import progress, watches
from warehouse.providers.settings import ProviderSettings
from warehouse.store import Store
from warehouse.watches import described_watches, goal_setting, progress_reading, watching

NOW = datetime(2026, 3, 18, 1, 30, tzinfo=UTC)
USERS = ("alice", "béla")
SERIES = {"status": "success", "data": {"name": "Dark", "image": "https://a.example/d.jpg", "averageRuntime": 53}}


@pytest.fixture
def store(store: Store) -> Store:
    return replace(store, settings=replace(store.settings, fixed_now=NOW))


@pytest.fixture
def providers() -> Iterator[Providers]:
    with answering() as stub:
        stub.answers["/v4/series/370"] = SERIES
        stub.items |= {"v1": video("v1"), "UC_1": channel("UC_1", "high")}
        stub.answers["/v1/episodes/p1"] = episode("p1")
        yield stub


def sync(store: Store, route: str, given: object, user: str = "alice", ago: float = 0) -> None:
    with store.database.connect() as connection:
        watching.land(
            connection,
            tenant="t",
            user_id=user,
            route=route,
            body=json.dumps(given).encode(),
            now=NOW - timedelta(days=ago),
            default_zone=store.settings.time_zone,
        )
        outbox.seal(connection, store.lake)


def files(folder: str, *names: str) -> dict[str, object]:
    return {"episodes": [{"folder_name": folder, "file_name": name} for name in names]}


def sync_all(store: Store) -> None:
    for user in USERS:
        sync(store, "sync", files("Dark", "e1", "e2"), user, ago=30)
        sync(store, "sync", files("Dark", "e2", "e3"), user, ago=2)
        sync(store, "show", {"folder_name": "Dark", "tvdb_id": 370}, user)
        sync(store, "syncyoutube", {"video_ids": ["v1", "gone"]}, user, ago=1)
        sync(store, "syncspotify", {"episode_ids": ["p1"]}, user)
        sync(store, "syncmovies", {"movies": [{"file_name": "film#1/a.mkv", "tvdb_id": 9}]}, user)


def enrich(store: Store, settings: ProviderSettings) -> dg.ExecuteInProcessResult:
    job = build_defs(store=store, providers=settings).resolve_job_def("enrich")
    with open_instance(store) as instance:
        return job.execute_in_process(instance=instance, raise_on_error=True)


def build(store: Store) -> dict[date, int]:
    built = building.build(store, WATCHES).rows[CORE_WATCHES.name]
    building.build(store, PROGRESS_DAILY)
    return built


def state(store: Store) -> list[dict[date, str]]:
    return [store.lake.fingerprints(dataset) for dataset in (CORE_WATCHES, OUT_PROGRESS_DAILY)]


def told(store: Store, user: str) -> dict[str, object]:
    with store.database.connect() as connection:
        return progress_reading.progress(connection, store.settings, "t", user, NOW).to_dict()


def counted(store: Store, user: str) -> dict[str, object]:
    mine = pl.col("user_id") == user
    daily, core = (store.lake.scan(dataset).filter(mine).collect() for dataset in (OUT_PROGRESS_DAILY, CORE_WATCHES))
    return progress.progress(daily, core, now=NOW, zone=ZoneInfo(daily["time_zone"][0])).to_dict()


class FullLake(Lake):
    """A lake that takes nothing any more."""

    def replace_days(self, dataset: Dataset, frame: pl.DataFrame, days: Iterable[date]) -> None:
        raise OSError(errno.ENOSPC, "disk full")


def test_everything_landed_is_enriched_built_published_and_equal_to_what_the_endpoint_tells(
    store: Store, providers: Providers
) -> None:
    land(store, [body(1, date(2026, 3, 1))])
    sync_all(store)
    with store.database.connect() as connection:
        users.add_user(connection, name="béla", password="p", tenant="t", time_zone="Europe/Budapest")
        users.add_user(connection, name="alice", password="p", tenant="t")
        goal_setting.set_goals(connection, store.settings, "alice", [("day", None, 30)])
    done = enrich(store, providers.settings())
    (check,) = done.get_asset_check_evaluations()
    assert check.passed
    assert check.metadata["unenriched"].value == 0
    assert sorted(str(stale) for stale in refreshing.refresh(store).ranges) == [
        "progress",
        "qoe of 2026-03-01 to 2026-03-01",
    ]

    core = store.lake.scan(CORE_WATCHES).collect()
    with store.database.connect() as connection:
        held = described_watches.describe(connection, described_watches.watches(connection, "true"))
    placed = watches.place(held, {("t", "béla"): "Europe/Budapest"}, store.settings.time_zone)
    assert_frame_equal(core.sort(CORE_WATCHES.key), placed.sort(CORE_WATCHES.key))
    for user in USERS:
        assert counted(store, user) == told(store, user)
    assert told(store, "alice")["total_hours_watched"] == 2
    out = store.lake.scan(OUT_PROGRESS_DAILY).collect()
    with store.database.connect() as connection:
        published = connection.execute("SELECT sum(items), sum(watched_s) FROM out_progress_daily").fetchone()
    assert published == (out["items"].sum(), out["watched_s"].sum()) == (14, 2 * (3 * 53 * 60 + 630 + 388))
    html = (store.settings.reports_dir / "t" / "progress.html").read_text(encoding="utf-8")
    assert "日本語ラジオ" in html
    assert "streak 0, longest" in html
    index = (store.settings.reports_dir / "index.html").read_text(encoding="utf-8")
    assert "t/progress.html" in index
    assert "default/qoe.html" in index


def test_a_second_refresh_writes_nothing(store: Store) -> None:
    sync_all(store)
    refreshing.refresh(store)
    before, pages = state(store), {p: p.stat().st_mtime_ns for p in store.settings.reports_dir.rglob("*.html")}
    assert refreshing.refresh(store).ranges == ()
    assert build(store) == {}
    assert state(store) == before
    assert {p: p.stat().st_mtime_ns for p in store.settings.reports_dir.rglob("*.html")} == pages


def test_only_the_days_that_differ_are_replaced(store: Store) -> None:
    sync_all(store)
    build(store)
    before = state(store)
    sync(store, "syncyoutube", {"video_ids": ["v9", "v1"]}, ago=4)
    assert [str(stale) for stale in stale_ranges(store, "progress")] == ["progress"]
    assert build(store) == {date(2026, 3, 14): 2, date(2026, 3, 17): 3}  # v1 was watched earlier than it had seemed
    sync(store, "show", {"folder_name": "Dark", "tvdb_id": 371})
    assert build(store) == {date(2026, 2, 16): 4, date(2026, 3, 16): 2}
    for old, new in zip(before, state(store), strict=True):
        assert {day for day, seen in old.items() if new[day] == seen} == {date(2026, 3, 18)}
    assert list(stale_ranges(store, "progress")) == []


def test_the_sensor_asks_for_one_run_of_the_family(store: Store) -> None:
    sync_all(store)
    with open_instance(store) as instance:
        context = dg.build_sensor_context(instance=instance, resources={"store": store})
        asked = [request for request in stale_partitions(context) if isinstance(request, dg.RunRequest)]
        landed = instance.get_materialized_partitions(dg.AssetKey(RAW_WATCHES.name))
    assert [request.job_name for request in asked] == ["refresh_progress"]
    assert landed == {"2026-02-16", "2026-03-16", "2026-03-17", "2026-03-18"}


def test_a_user_who_moves_has_other_days(store: Store) -> None:
    sync(store, "syncyoutube", {"video_ids": ["v1"]})
    build(store)
    with store.database.connect() as connection:
        users.add_user(connection, name="alice", password="p", tenant="t", time_zone="America/Los_Angeles")
    assert [str(stale) for stale in stale_ranges(store, "progress")] == ["progress"]
    assert build(store) == {date(2026, 3, 17): 1, date(2026, 3, 18): 0}
    assert counted(store, "alice") == told(store, "alice")
    elsewhere = replace(store, settings=replace(store.settings, time_zone="UTC"))
    assert [str(stale) for stale in stale_ranges(elsewhere, "progress")] == ["progress"]
    assert build(elsewhere) == {}


def test_a_database_that_has_not_seen_the_lake_is_filled(store: Store) -> None:
    sync_all(store)
    build(store)
    before = state(store)
    with store.database.connect() as connection:
        connection.execute("TRUNCATE partition_builds, published_days, out_progress_daily")
    build(store)
    assert watches_add_up(store).passed
    assert [seen.keys() for seen in state(store)] == [seen.keys() for seen in before]


def test_a_build_that_dies_before_the_lake_is_replaced_is_made_up_for(store: Store) -> None:
    sync_all(store)
    build(store)
    sync(store, "syncyoutube", {"video_ids": ["v9"]})
    broken = replace(store, lake=FullLake(store.lake.url, store.lake.dimensions))
    building.build(store, WATCHES)
    with pytest.raises(OSError, match="full"):
        building.build(broken, PROGRESS_DAILY)
    assert building.stale_days(store, PROGRESS_DAILY)
    building.build(store, PROGRESS_DAILY)
    assert watches_add_up(store).passed


def test_what_providers_cannot_tell_now_waits_and_warns(store: Store, providers: Providers) -> None:
    ids = [f"v{n}" for n in range(UNENRICHED_MOST + 1)]
    sync(store, "syncyoutube", {"video_ids": ids})
    providers.faults["/youtube/v3/videos"] += [Answer(500)] * 8
    (warned,) = enrich(store, providers.settings()).get_asset_check_evaluations()
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert warned.metadata["unenriched"].value == len(ids)
    providers.faults.clear()
    (after,) = enrich(store, providers.settings()).get_asset_check_evaluations()
    assert after.passed
    assert store.lake.row_counts(RAW_METADATA) == {NOW.date(): len(ids) + 1}  # and the channel


def test_the_schedule_asks_only_where_there_is_something_to_ask(store: Store, providers: Providers) -> None:
    def tick(settings: ProviderSettings) -> dg.RunRequest | dg.SkipReason:
        context = dg.build_schedule_context(resources={"store": store, "providers": settings})
        result = schedules.enrichment(context)
        assert isinstance(result, dg.RunRequest | dg.SkipReason)
        return result

    assert tick(providers.settings()) == dg.SkipReason("No watch lacks metadata.")
    sync(store, "syncyoutube", {"video_ids": ["v1"]})
    assert isinstance(tick(providers.settings()), dg.RunRequest)
    assert tick(ProviderSettings()) == dg.SkipReason("No metadata provider has a key.")


def test_what_waits_too_long_is_not_fresh(store: Store) -> None:
    sync(store, "syncyoutube", {"video_ids": ["v1"]}, ago=1)
    stuck = watches_fresh(store)
    assert not stuck.passed
    assert stuck.metadata["oldest_waiting_s"].value == 24 * 3600
    build(store)
    assert watches_fresh(store).passed


def test_a_tenant_that_is_dropped_loses_its_page(store: Store) -> None:
    sync_all(store)
    build(store)
    page, metrics, index = reporting.publish_progress(store)
    assert "Watch progress" in index.read_text(encoding="utf-8")
    tenants.drop_tenant(store.database, store.lake, "t")
    assert reporting.publish_progress(store) == (metrics, index)
    assert not page.exists()
    assert "Watch progress" not in index.read_text(encoding="utf-8")
    assert list((store.settings.reports_dir / "t").iterdir()) == []


def test_no_preview_shows_who_watched_what(store: Store) -> None:
    sync_all(store)
    building.build(store, WATCHES)
    assert building.build(store, PROGRESS_DAILY).previews == {}


def test_checks_fail_on_a_repeated_row_and_on_a_wrong_sum(store: Store) -> None:
    sync_all(store)
    build(store)
    assert watches_unique(store).passed
    assert watches_add_up(store).passed
    with store.database.connect() as connection:
        connection.execute("UPDATE out_progress_daily SET items = items + 1 WHERE user_id = 'alice'")
    assert not watches_add_up(store).passed
    core = store.lake.scan(CORE_WATCHES).collect()
    store.lake.append_once(CORE_WATCHES, core.head(1), app_id="fault", version=1)
    assert not watches_unique(store).passed
