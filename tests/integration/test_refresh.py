"""From landed sends to published pages: what is stale is rebuilt, and nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from pipelines import refreshing
from pipelines.checks import counts_reconcile, fresh, keys_unique, sessions_add_up
from pipelines.definitions import build_defs
from pipelines.instance import open_instance
from pipelines.sensors import stale_partitions
from tests.integration.landed import FIRST, body, land, land_days
from warehouse import building
from warehouse.datasets import (
    CONTENT_DIMENSION,
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    RAW_SESSIONS,
)
from warehouse.derivations import QOE_DAILY
from warehouse.lake import Lake
from warehouse.store import Store

DERIVED = (CORE_SESSIONS, CORE_SESSIONS_QUARANTINE, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY)


def state(store: Store) -> dict[str, dict[date, str]]:
    return {dataset.name: store.lake.fingerprints(dataset) for dataset in DERIVED}


def spans(done: refreshing.Refreshed) -> list[tuple[date, date]]:
    return [(stale.first, stale.last) for stale in done.ranges]


def sensor_tick(store: Store, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(instance=instance, resources={"store": store})
    result = stale_partitions(context)
    return [request for request in result if isinstance(request, dg.RunRequest)]


def test_everything_landed_is_aggregated_and_published(store):
    land_days(store)
    done = refreshing.refresh(store)
    assert spans(done) == [(FIRST, FIRST + timedelta(days=2))]
    assert store.lake.row_counts(CORE_SESSIONS) == {FIRST + timedelta(days=d): 40 for d in range(3)}
    out = store.lake.scan(OUT_QOE_DAILY).filter(pl.col("dimension") == CONTENT_DIMENSION).collect()
    assert out["sessions"].sum() == 120
    assert out["startup_ms_sum"].sum() == sum(500 + n for n in range(120))
    with store.database.connect() as connection:
        published = connection.execute(
            "SELECT sum(sessions), sum(startup_ms_sum) FROM out_qoe_daily WHERE dimension = 'content'"
        ).fetchone()
    assert published == (120, out["startup_ms_sum"].sum())
    assert (store.settings.reports_dir / "default" / "qoe.html").is_file()


def test_a_second_refresh_writes_nothing(store):
    land_days(store)
    refreshing.refresh(store)
    before, pages = state(store), {p: p.stat().st_mtime_ns for p in store.settings.reports_dir.rglob("*.html")}
    with open_instance(store) as instance:
        runs = instance.get_runs_count()
    assert refreshing.refresh(store).ranges == ()
    with open_instance(store) as instance:
        assert instance.get_runs_count() == runs
    assert state(store) == before
    assert {p: p.stat().st_mtime_ns for p in store.settings.reports_dir.rglob("*.html")} == pages


def test_a_late_session_changes_only_its_own_day(store):
    land_days(store)
    refreshing.refresh(store)
    before = state(store)
    late = FIRST + timedelta(days=1)
    land(store, [body(999, late)])
    assert building.stale_days(store) == [late]
    assert spans(refreshing.refresh(store)) == [(late, late)]
    after = state(store)
    for name, days in before.items():
        assert {day for day in days if after[name][day] != days[day]} == ({late} if late in days else set()), name
    assert store.lake.row_counts(CORE_SESSIONS)[late] == 41


def test_the_sensor_asks_for_exactly_the_stale_ranges_once(store):
    land_days(store, days=1)
    land(store, [body(900, FIRST + timedelta(days=3)), body(901, FIRST + timedelta(days=4))])
    with open_instance(store) as instance:
        asked = sensor_tick(store, instance)
        assert [
            (r.tags["dagster/asset_partition_range_start"], r.tags["dagster/asset_partition_range_end"]) for r in asked
        ] == [("2026-03-01", "2026-03-01"), ("2026-03-04", "2026-03-05")]
        assert [r.run_key for r in sensor_tick(store, instance)] == [r.run_key for r in asked]
        landed = instance.get_materialized_partitions(dg.AssetKey(RAW_SESSIONS.name))
    assert landed == {"2026-03-01", "2026-03-04", "2026-03-05"}
    refreshing.refresh(store)
    with open_instance(store) as instance:
        assert sensor_tick(store, instance) == []


def test_one_run_covers_days_between_which_nothing_is_stored(store):
    apart = [FIRST + timedelta(days=n) for n in (0, 3, 5)]
    land(store, [body(n, day) for n, day in enumerate((*apart, FIRST - timedelta(days=400)))])
    assert spans(refreshing.refresh(store)) == [(FIRST - timedelta(days=400),) * 2, (apart[0], apart[2])]
    assert sorted(store.lake.row_counts(OUT_QOE_DAILY))[1:] == apart
    land(store, [body(10, apart[0]), body(11, apart[2])])
    assert spans(refreshing.refresh(store)) == [(apart[0],) * 2, (apart[2],) * 2]
    assert refreshing.refresh(store).ranges == ()


def test_other_definitions_make_every_day_stale(store):
    land_days(store, days=2)
    refreshing.refresh(store)
    dimensions = {"app_version": "appVersion", "network_type": "networkType"}
    settings = replace(store.settings, dimensions=dimensions)
    changed = replace(store, settings=settings, lake=Lake(store.lake.url, dimensions))
    assert building.stale_days(changed) == [FIRST, FIRST + timedelta(days=1)]
    refreshing.refresh(changed)
    assert set(changed.lake.scan(OUT_QOE_DAILY).collect()["dimension"].unique()) == {"content", *dimensions}


def test_checks_look_at_every_built_day(store):
    land_days(store)
    refreshing.refresh(store)
    with open_instance(store) as instance:
        history = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(CORE_SESSIONS.name), "counts_reconcile"), limit=1
        )
    assert history[0].event.asset_check_evaluation.metadata["days_checked"].value == 3


def test_superseded_sends_reconcile(store):
    land_days(store, days=1)
    land(store, [body(1, FIRST, playTimeMs=40_000, timestamp=1_900_000_000_000), body(2, FIRST, timestamp=1)])
    refreshing.refresh(store)
    with store.database.connect() as connection:
        rows = connection.execute(
            "SELECT rows_in, rows_out, rows_superseded FROM partition_builds WHERE dataset = 'core_sessions'"
        ).fetchall()
    assert rows == [(42, 40, 2)]


def test_checks_fail_on_a_repeated_row(store):
    land_days(store, days=1)
    refreshing.refresh(store)
    core = store.lake.scan(CORE_SESSIONS).collect()
    store.lake.append_once(CORE_SESSIONS, core.head(1), app_id="fault", version=1)
    for check in (keys_unique, counts_reconcile, sessions_add_up):
        with store.database.connect() as connection:
            # The fault is hidden from the staleness test, as a fault in a build would be.
            connection.execute(
                "UPDATE partition_builds SET source_fingerprint = %s WHERE dataset = 'out_qoe_daily'",
                (building.fingerprints(store, QOE_DAILY)[FIRST],),
            )
        assert not check(store).passed, check


def test_what_waits_too_long_is_not_fresh_whatever_arrives_meanwhile(store):
    def at(hour: int) -> Store:
        settings = replace(store.settings, fixed_now=datetime(2026, 3, 10, hour, tzinfo=UTC))
        return replace(store, settings=settings)

    land(store, [body(1, FIRST)], now=at(1).settings.now())
    assert fresh(at(2)).passed
    land(store, [body(2, FIRST)], now=at(5).settings.now())
    stuck = fresh(at(5))
    assert not stuck.passed
    assert stuck.metadata["oldest_waiting_s"].value == 4 * 3600
    refreshing.refresh(at(5))
    land(store, [body(3, FIRST)], now=at(6).settings.now())
    assert fresh(at(7)).passed


def test_a_failing_check_fails_the_refresh_by_name(store):
    land_days(store, days=1)
    refreshing.refresh(store)
    core = store.lake.scan(CORE_SESSIONS).collect()
    store.lake.append_once(CORE_SESSIONS, core.head(1), app_id="fault", version=1)
    land(store, [body(500, FIRST + timedelta(days=1))])
    with pytest.raises(refreshing.RefreshError, match="core_sessions:"):
        _refresh_out_only(store)


def _refresh_out_only(store: Store) -> None:
    job = build_defs(store=store).resolve_job_def("publish")
    with open_instance(store) as instance:
        refreshing.execute(job, instance, {})
