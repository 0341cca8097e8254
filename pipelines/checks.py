"""Asset checks of sessions: what must be true of their tables. They read the tables anew, not what a build claims."""

from datetime import date

import dagster as dg
import polars as pl

from pipelines import freshness
from warehouse import building
from warehouse.building import builds
from warehouse.datasets import (
    CONTENT_DIMENSION,
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_DAILY_BASE,
    RAW_SESSIONS,
    Dataset,
)
from warehouse.datasets.events import RAW_EVENTS
from warehouse.derivations import QOE_DAILY, SESSIONS
from warehouse.store import Store


@dg.asset_check(asset=CORE_SESSIONS.name, name="keys_unique", description="One row a session")
def keys_unique(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Look for sessions with more than one row."""
    repeated = (
        store.lake.scan(CORE_SESSIONS)
        .group_by(CORE_SESSIONS.key)
        .len()
        .filter(pl.col("len") > 1)
        .select(pl.len())
        .collect(engine="streaming")
        .item()
    )
    return dg.AssetCheckResult(passed=repeated == 0, metadata={"repeated_keys": repeated})


@dg.asset_check(
    asset=CORE_SESSIONS.name,
    name="counts_reconcile",
    description="On every built day: raw = core + quarantined + superseded, leaving out sessions of events only",
)
def counts_reconcile(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Compare the row counts of the tables with the sends that builds found superseded."""
    stale = set(building.stale_days(store, SESSIONS))
    with store.database.connect() as connection:
        superseded = builds.superseded(connection, CORE_SESSIONS)
    raw, core, quarantine = (
        store.lake.row_counts(dataset) for dataset in (RAW_SESSIONS, CORE_SESSIONS, CORE_SESSIONS_QUARANTINE)
    )
    for day, sessions in _of_events_only(store).items():
        core[day] -= sessions
    wrong = {
        day.isoformat(): f"raw {raw[day]}, core {core.get(day, 0)}, quarantined {quarantine.get(day, 0)}, "
        f"superseded {superseded.get(day, 0)}"
        for day in sorted(raw.keys() - stale)
        if raw[day] != core.get(day, 0) + quarantine.get(day, 0) + superseded.get(day, 0)
    }
    return dg.AssetCheckResult(
        passed=not wrong,
        metadata={
            "raw": sum(raw.values()),
            "core": sum(core.values()),
            "quarantined": sum(quarantine.values()),
            "superseded": sum(superseded.values()),
            "days_checked": len(raw.keys() - stale),
            "wrong_days": wrong,
        },
    )


def _of_events_only(store: Store) -> dict[date, int]:
    """Count the sessions of each day that no summary tells of."""
    days = list(store.lake.row_counts(RAW_EVENTS))
    summaries = store.lake.scan(RAW_SESSIONS, days=days).select("ingest_id")
    core = store.lake.scan(CORE_SESSIONS, days=days).join(summaries, on="ingest_id", how="anti")
    return dict(core.group_by("day").len().collect().iter_rows())


@dg.asset_check(
    asset=OUT_QOE_DAILY.name,
    name="sessions_add_up",
    description="Sessions in the content rows of out equal the rows of core and what is in the base, day by day",
)
def sessions_add_up(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Compare the sessions that were aggregated with those that exist or were frozen."""
    stale = set(building.stale_days(store, QOE_DAILY))
    counted, frozen = (_sessions(store, dataset) for dataset in (OUT_QOE_DAILY, OUT_QOE_DAILY_BASE))
    core = store.lake.row_counts(CORE_SESSIONS)
    wrong = sorted(
        day.isoformat()
        for day in (core.keys() | counted.keys() | frozen.keys()) - stale
        if core.get(day, 0) + frozen.get(day, 0) != counted.get(day, 0)
    )
    return dg.AssetCheckResult(
        passed=not wrong,
        metadata={"sessions": sum(counted.values()), "frozen": sum(frozen.values()), "wrong_days": wrong},
    )


def _sessions(store: Store, dataset: Dataset) -> dict[date, int]:
    content = pl.col("dimension") == CONTENT_DIMENSION
    return dict(
        store.lake.read(
            dataset, lambda rows: rows.filter(content).group_by("day").agg(pl.col("sessions").sum())
        ).iter_rows()
    )


@dg.asset_check(
    asset=OUT_QOE_DAILY.name,
    name="fresh",
    description="Nothing that has landed waits longer than two hours to be aggregated",
)
def fresh(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Find how long the oldest arrival has waited that the last build of its day did not see."""
    return freshness.fresh(store, OUT_QOE_DAILY, [RAW_SESSIONS], [SESSIONS, QOE_DAILY])


CHECKS = [keys_unique, counts_reconcile, sessions_add_up, fresh]
