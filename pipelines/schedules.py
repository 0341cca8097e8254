"""What runs by the clock: the hourly second try at what is stale, daily publication with every check, retention."""

from collections.abc import Iterator

import dagster as dg

from pipelines.jobs import publish_job, refresh_jobs, retain_job
from pipelines.staleness import stale_ranges
from warehouse.derivations import FAMILIES
from warehouse.store import Store


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

SCHEDULES = (*(_hourly(family) for family in FAMILIES), daily_publish, daily_retention)
