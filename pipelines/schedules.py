"""What runs by the clock: the second try at what is stale, daily publication, asking providers again, retention."""

from collections.abc import Iterator

import dagster as dg

from pipelines.jobs import enrich_job, publish_job, refresh_jobs, retain_job
from pipelines.staleness import stale_ranges
from warehouse.derivations import FAMILIES
from warehouse.providers.settings import ProviderSettings
from warehouse.store import Store
from warehouse.watches.enriching import lacking


def _hourly(family: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"hourly_{family}",
        job=refresh_jobs[family],
        cron_schedule="5 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Asks again for days that are still stale, such as those of a failed run",
    )
    def hourly(
        context: dg.ScheduleEvaluationContext, store: dg.ResourceParam[Store]
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        ranges = list(stale_ranges(store, family))
        if not ranges:
            yield dg.SkipReason("Every partition is fresh.")
        hour = context.scheduled_execution_time.isoformat()
        for stale in ranges:
            yield stale.request(f"{hour}:")

    return hourly


daily_publish = dg.ScheduleDefinition(
    name="daily_publish",
    job=publish_job,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Publishes every report and runs every check",
)

daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    job=retain_job,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes what has expired",
)


@dg.schedule(
    job=enrich_job,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks the metadata providers again for what watches lack",
)
def enrichment(
    store: dg.ResourceParam[Store], providers: dg.ResourceParam[ProviderSettings]
) -> dg.RunRequest | dg.SkipReason:
    """Request a round where there is something to ask and somebody to be asked."""
    if not providers.any_key:
        return dg.SkipReason("No metadata provider has a key.")
    with store.database.connect() as connection:
        if not lacking(connection, limit=1):
            return dg.SkipReason("No watch lacks metadata.")
    return dg.RunRequest()


SCHEDULES = (*(_hourly(family) for family in FAMILIES), daily_publish, daily_retention, enrichment)
