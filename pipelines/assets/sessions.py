"""`raw_sessions`, landed by the endpoint, and `core_sessions`, built from it."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.metadata import report_rows, spec
from pipelines.partitions import DAYS, days_of
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, CORE_SESSIONS_QUARANTINE, RAW_SESSIONS
from warehouse.store import Store

raw_sessions = spec(RAW_SESSIONS, "raw", partitions_def=DAYS)


@dg.multi_asset(
    name="core_sessions",
    specs=[
        spec(CORE_SESSIONS, "core", deps=[RAW_SESSIONS.name]),
        spec(CORE_SESSIONS_QUARANTINE, "core", deps=[RAW_SESSIONS.name]),
    ],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def core_sessions(
    context: dg.AssetExecutionContext, store: dg.ResourceParam[Store]
) -> Iterator[dg.MaterializeResult[None]]:
    """Type, deduplicate and clean the raw sessions of each day."""
    built = building.build_core_sessions(store, days_of(context))
    for name, metadata in report_rows(context, built).items():
        yield dg.MaterializeResult(asset_key=name, metadata=metadata)
