"""What runs every night: expired rows go, tables are tidied. What expires is said in `warehouse.governance`."""

import dagster as dg

from pipelines.reporting import publish_everything
from warehouse.governance.housekeeping import tidy
from warehouse.governance.retention import retain
from warehouse.store import Store


@dg.asset(group_name="governance", kinds={"deltalake", "postgres"})
def retention(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Delete what has expired from Postgres and the lake, freeze what it contributed, and publish the pages again."""
    done = retain(store)
    if done.built or any(done.rows.values()):
        publish_everything(store)
    return dg.MaterializeResult(metadata={**done.rows, "frozen_days": len(done.frozen)})


@dg.asset(group_name="governance", kinds={"deltalake"}, deps=["retention"])
def housekeeping(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Put small files together, clear away those that nobody lists any more, shorten the tables' logs."""
    return dg.MaterializeResult(metadata=dict(tidy(store)))
