"""`incidents`: what went wrong and when, from `out_qoe_hourly` and `core_sessions`; told to the webhook, if any."""

import dagster as dg

from pipelines.alarms import Alarms, find_and_tell
from warehouse.datasets import CORE_SESSIONS
from warehouse.incidents import finding as kept
from warehouse.store import Store


@dg.asset(
    name="incidents",
    group_name="out",
    kinds={"polars", "postgres"},
    deps=[
        dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in (kept.SOURCE.name, CORE_SESSIONS.name)
    ],
    description="Spikes in failures, rebuffering and startup of the last weeks, in the Postgres table of this name",
)
def incidents(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Find incidents anew, store what changed, and tell the webhook, whose failures fail nothing."""
    alarms: Alarms = find_and_tell(store)
    return dg.MaterializeResult(metadata=alarms.metadata())
