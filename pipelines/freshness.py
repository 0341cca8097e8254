"""How long the oldest arrival has waited that no build has seen: the one answer behind every check of freshness."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
import polars as pl

from warehouse import building
from warehouse.building import builds
from warehouse.datasets import Dataset
from warehouse.derivations import Derivation
from warehouse.store import Store

FRESH_WITHIN = timedelta(hours=2)
"""A landed payload that is not in `out` after this long means that refreshing is stuck."""

_SEEN = {"day": pl.Date(), "built_at": pl.Datetime("us", "UTC")}


def fresh(store: Store, out: Dataset, raw: Sequence[Dataset], steps: Sequence[Derivation]) -> dg.AssetCheckResult:
    """Check that nothing in the raw tables waits too long for `out`, which `steps` derive from them by days."""
    stale = building.stale_days(store, *steps)
    with store.database.connect() as connection:
        built = builds.built_at(connection, out)
    seen = pl.DataFrame({"day": stale, "built_at": [built.get(day) for day in stale]}, schema=_SEEN)
    unseen = (pl.col("received_at") > pl.col("built_at")).fill_null(value=True)
    arrivals = [
        store.lake.scan(dataset, days=stale).join(seen.lazy(), on="day").filter(unseen).select("received_at")
        for dataset in raw
    ]
    waiting = pl.concat(arrivals).min().collect().item()
    age = store.settings.now() - waiting if waiting else timedelta(0)
    return dg.AssetCheckResult(
        passed=age <= FRESH_WITHIN,
        metadata={"stale_days": len(stale), "oldest_waiting_s": age.total_seconds()},
    )
