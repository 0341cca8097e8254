"""What runs by the clock: the hourly second try at stale days, and the daily publication with every check."""

from collections.abc import Iterator

import dagster as dg

from pipelines.jobs import publish_job, refresh_job
from pipelines.partitions import range_tags
from pipelines.staleness import stale_ranges
from warehouse.store import Store


@dg.schedule(
    job=refresh_job,
    cron_schedule="5 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Asks again for days that are still stale, such as those of a failed run",
)
def hourly_refresh(
    context: dg.ScheduleEvaluationContext, store: dg.ResourceParam[Store]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request what the sensor asked for and no run has mended."""
    ranges = list(stale_ranges(store))
    if not ranges:
        yield dg.SkipReason("Every partition is fresh.")
    hour = context.scheduled_execution_time.isoformat()
    for stale in ranges:
        yield dg.RunRequest(run_key=f"{hour}:{stale.key}", tags=range_tags(stale.first, stale.last))


daily_publish = dg.ScheduleDefinition(
    name="daily_publish",
    job=publish_job,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Publishes every report and runs every check",
)
