"""The sensor that keeps derived tables up with what lands."""

from collections.abc import Iterator

import dagster as dg

from pipelines.jobs import refresh_jobs
from pipelines.staleness import report_landed, stale_ranges
from warehouse.store import Store


@dg.sensor(
    jobs=list(refresh_jobs.values()),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for exactly the days whose raw files or definitions their last build did not see, however late",
)
def stale_partitions(
    context: dg.SensorEvaluationContext, store: dg.ResourceParam[Store]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request one run a range of stale days; the same range with the same content is asked for once."""
    ranges = list(stale_ranges(store))
    asked = "\n".join(stale.key for stale in ranges)
    if not ranges:
        yield dg.SkipReason("Every partition is fresh.")
        return
    if asked != context.cursor:
        report_landed(context.instance, store)
        context.update_cursor(asked)
    for stale in ranges:
        yield stale.request()
