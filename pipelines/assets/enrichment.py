"""`enriched_metadata`: what providers could not tell when a watch arrived, asked for again."""

import asyncio
from datetime import datetime

import dagster as dg

from warehouse.datasets.watches import RAW_METADATA
from warehouse.landing import outbox
from warehouse.postgres import Database
from warehouse.providers.catalog import Catalog
from warehouse.providers.settings import ProviderSettings
from warehouse.store import Store
from warehouse.watches.enriching import Enriched, enrich

WITHIN_S = 300.0
"""Longest time of one round; what is left is asked for in the next."""


@dg.asset(group_name="enrichment", kinds={"postgres"})
def enriched_metadata(
    store: dg.ResourceParam[Store], providers: dg.ResourceParam[ProviderSettings]
) -> dg.MaterializeResult[None]:
    """Ask the metadata providers for what watches lack; the answers go to Postgres and to `raw_metadata`."""
    done = asyncio.run(_enrich(store.database, providers, store.settings.now()))
    with store.database.connect() as connection:
        outbox.seal(connection, store.lake)
    reasons = sorted({f"{lack.kind}: {reason}" for lack, reason in done.reasons.items()})
    return dg.MaterializeResult(
        metadata={
            "answered": done.answered,
            "still_lacking": len(done.reasons),
            "reasons": dg.MetadataValue.md("\n".join(f"- {reason}" for reason in reasons)),
            "lands_in": RAW_METADATA.name,
        }
    )


async def _enrich(database: Database, providers: ProviderSettings, now: datetime) -> Enriched:
    async with Catalog.open(providers) as catalog:
        return await enrich(database, catalog, now, within_s=WITHIN_S)
