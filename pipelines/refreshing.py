"""Refresh in this process: everything that is stale, now, through the same jobs that sensor and schedules ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dagster as dg

from pipelines.alarms import tell
from pipelines.definitions import build_defs
from pipelines.instance import open_instance
from pipelines.jobs import build_jobs, enrich_job, publish_job, refresh_jobs
from pipelines.staleness import StaleRange, bridged, report_landed, stale_ranges
from warehouse.store import Store

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


class RefreshError(RuntimeError):
    """A run or a check failed; the message names it."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did: the ranges of days it rebuilt, of each family; days without data may lie within."""

    ranges: Sequence[StaleRange]


def refresh(store: Store, on_progress: Callable[[str], None] = lambda _: None) -> Refreshed:
    """Rebuild every stale day and publish the reports; write nothing when everything is fresh, but
    try again to tell of incidents whose webhook failed.

    Raises RefreshError when a run or an asset check fails.
    """
    ranges = list(bridged(store, list(stale_ranges(store))))
    published = (store.settings.reports_dir / "index.html").exists()
    if not ranges and published:
        tell(store)
        return Refreshed(())
    defs = build_defs(store=store)
    closing = {stale.family: stale for stale in ranges}.values()
    with open_instance(store) as instance:
        report_landed(instance, store)
        for position, stale in enumerate(ranges, 1):
            on_progress(f"{stale} ({position}/{len(ranges)})")
            # Pages and checks are about all days: they come once, with the family's last range.
            jobs = refresh_jobs if stale in closing else build_jobs
            execute(defs.resolve_job_def(jobs[stale.family].name), instance, stale.tags)
        if not ranges:
            on_progress("reports")
            execute(defs.resolve_job_def(publish_job.name), instance, {})
    return Refreshed(tuple(ranges))


def enrich(store: Store) -> None:
    """Ask the metadata providers for what watches lack, now. Raises RefreshError when the run fails."""
    with open_instance(store) as instance:
        execute(build_defs(store=store).resolve_job_def(enrich_job.name), instance, {})


def execute(job: dg.JobDefinition, instance: dg.DagsterInstance, tags: dict[str, str]) -> None:
    """Run a job in this process. Raises RefreshError when a step or an asset check fails, not for a warning."""
    result = job.execute_in_process(instance=instance, tags=tags, run_config=QUIET, raise_on_error=False)
    if not result.success:
        causes = [
            f"{event.step_key}: {error.cause.message if error.cause else error.message}".strip()
            for event in result.all_events
            if event.is_step_failure and (error := event.step_failure_data.error)
        ]
        raise RefreshError(f"run {result.run_id} of {job.name} failed: {'; '.join(causes)}")
    broken = [
        f"{check.asset_key.to_user_string()}:{check.check_name}"
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR
    ]
    if broken:
        raise RefreshError(f"run {result.run_id} of {job.name}: failed checks {', '.join(broken)}")
