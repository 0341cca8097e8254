"""`out_qoe_daily` and `out_qoe_histogram_daily`: sums that add up, from `core_sessions`."""

from collections.abc import Iterator

import dagster as dg

from pipelines.assets.metadata import report_rows, spec
from pipelines.partitions import DAYS, days_of
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.store import Store


@dg.multi_asset(
    name="out_qoe_daily",
    specs=[
        spec(OUT_QOE_DAILY, "out", deps=[CORE_SESSIONS.name]),
        spec(OUT_QOE_HISTOGRAM_DAILY, "out", deps=[CORE_SESSIONS.name]),
    ],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def out_qoe_daily(
    context: dg.AssetExecutionContext, store: dg.ResourceParam[Store]
) -> Iterator[dg.MaterializeResult[None]]:
    """Aggregate the sessions of each day by content and by dimension, and publish the sums to Postgres."""
    built = building.build_qoe_daily(store, days_of(context))
    for name, metadata in report_rows(context, built).items():
        yield dg.MaterializeResult(asset_key=name, metadata=metadata)
