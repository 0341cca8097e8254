"""Tenants: dropping one, with everything that is its own. Whose key is whose is in `warehouse.access.keys`."""

from sqlalchemy import delete

from warehouse.datasets import DATASETS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.tables import TENANTED


def drop_tenant(database: Database, lake: Lake, tenant: str) -> None:
    """Delete every row of one tenant, in the lake and in Postgres, its keys included; others keep theirs.

    What still lies in a journal comes back when that is sealed: drain it before. Days that the tenant shared with
    others become stale. Safe to repeat. Raises `sqlalchemy.exc.DBAPIError`, `deltalake.exceptions.DeltaError`.
    """
    for dataset in DATASETS.values():
        lake.delete(dataset, tenant=tenant)
    with database.engine.begin() as connection:
        for table in TENANTED:
            connection.execute(delete(table).where(table.c.tenant == tenant))
