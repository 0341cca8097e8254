"""Asset checks of watches: what must be true of their tables, and how much is still not described."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl

from pipelines.freshness import FRESH_WITHIN
from warehouse import building
from warehouse.building import builds
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY
from warehouse.derivations import PROGRESS_DAILY, WATCHES
from warehouse.metrics.progress_daily import aggregate
from warehouse.store import Store
from warehouse.watches.enriching import lacking

UNENRICHED_MOST = 20
"""More than so many look-ups without an answer are a warning: a provider is away, or has no key."""

_COUNTED = 100_000


@dg.asset_check(asset=CORE_WATCHES.name, name="keys_unique", description="One row an item of a user")
def watches_unique(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Look for items with more than one row."""
    groups = store.lake.scan(CORE_WATCHES).group_by(CORE_WATCHES.key).len()
    repeated = groups.filter(pl.col("len") > 1).select(pl.len()).collect(engine="streaming").item()
    return dg.AssetCheckResult(passed=repeated == 0, metadata={"repeated_keys": repeated})


@dg.asset_check(
    asset=OUT_PROGRESS_DAILY.name,
    name="watches_add_up",
    description="Items and seconds of out equal those of core, day by day; Postgres holds the same items",
)
def watches_add_up(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Compare the sums with the watches they stand for."""
    if building.stale_days(store, PROGRESS_DAILY):
        return dg.AssetCheckResult(passed=True, metadata={"stale": True})
    sums = [pl.col("items", "watched_s").sum()]
    out = store.lake.scan(OUT_PROGRESS_DAILY).group_by("day").agg(*sums).collect()
    core = aggregate(store.lake.scan(CORE_WATCHES).collect()).group_by("day").agg(*sums)
    wrong = out.join(core, on=out.columns, how="anti")["day"].to_list()
    wrong += core.join(out, on=out.columns, how="anti")["day"].to_list()
    with store.database.connect() as connection:
        published = connection.execute("SELECT coalesce(sum(items), 0)::bigint FROM out_progress_daily").fetchone()
    items = int(out["items"].sum())
    return dg.AssetCheckResult(
        passed=not wrong and published == (items,),
        metadata={
            "items": items,
            "published_items": published[0] if published else 0,
            "wrong_days": sorted({day.isoformat() for day in wrong}),
        },
    )


@dg.asset_check(
    asset=OUT_PROGRESS_DAILY.name,
    name="fresh",
    description="Nothing that has landed waits longer than two hours to be added up",
)
def watches_fresh(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Find how long the oldest body or answer has waited that the last build did not see."""
    waiting: list[datetime] = []
    if building.stale_days(store, WATCHES, PROGRESS_DAILY):
        with store.database.connect() as connection:
            built = builds.built_at(connection, OUT_PROGRESS_DAILY).get(
                building.WHOLE, datetime.min.replace(tzinfo=UTC)
            )
        for dataset in WATCHES.sources:
            arrivals = (
                store.lake.scan(dataset).filter(pl.col("received_at") > built).select(pl.col("received_at").min())
            )
            waiting.extend(arrivals.collect()["received_at"].drop_nulls())
    age = store.settings.now() - min(waiting) if waiting else timedelta(0)
    return dg.AssetCheckResult(passed=age <= FRESH_WITHIN, metadata={"oldest_waiting_s": age.total_seconds()})


@dg.asset_check(
    asset="enriched_metadata",
    name="unenriched",
    description=f"At most {UNENRICHED_MOST} ids of watches wait for their provider",
)
def unenriched(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Count what no provider has answered for."""
    with store.database.connect() as connection:
        lacks = lacking(connection, limit=_COUNTED)
    return dg.AssetCheckResult(
        passed=len(lacks) <= UNENRICHED_MOST,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"unenriched": len(lacks), "by_kind": dict(Counter(lack.kind for lack in lacks))},
    )


CHECKS = [watches_unique, watches_add_up, watches_fresh, unenriched]
