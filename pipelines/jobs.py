"""The jobs: what a run covers. In-process, for a process a step costs more than the step."""

from collections.abc import Mapping

import dagster as dg

from warehouse.derivations import DERIVATIONS, FAMILIES, steps_of

REPORTS: Mapping[str, tuple[str, ...]] = {
    "qoe": ("incidents", "report_qoe"),
    "progress": ("report_progress",),
    "events": ("report_engagement",),
    "live": ("report_streams",),
    "cmcd": (),
}
"""What is made of all days of what a family derives: alarms, and the pages."""

ENRICHED = "enriched_metadata"

DERIVED = tuple(target.name for step in DERIVATIONS for target in step.targets)


def _targets(family: str) -> tuple[str, ...]:
    return tuple(target.name for step in steps_of(family) for target in step.targets)


build_jobs = {
    family: dg.define_asset_job(
        f"build_{family}",
        selection=dg.AssetSelection.assets(*_targets(family)).without_checks(),
        executor_def=dg.in_process_executor,
        description="Rebuild a range of days, before other ranges follow",
    )
    for family in FAMILIES
}

refresh_jobs = {
    family: dg.define_asset_job(
        f"refresh_{family}",
        selection=dg.AssetSelection.assets(*_targets(family), *REPORTS[family]),
        executor_def=dg.in_process_executor,
        description="Rebuild what is stale from raw to report, and check the result",
    )
    for family in FAMILIES
}

publish_job = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.assets(*(page for pages in REPORTS.values() for page in pages))
    | dg.AssetSelection.checks_for_assets(*DERIVED, ENRICHED),
    executor_def=dg.in_process_executor,
    description="Publish every report from what is aggregated, and run every check",
)

retain_job = dg.define_asset_job(
    "retain",
    selection=dg.AssetSelection.assets("retention", "housekeeping"),
    executor_def=dg.in_process_executor,
    description="Delete what has expired, and tidy the tables",
)

enrich_job = dg.define_asset_job(
    "enrich",
    selection=dg.AssetSelection.assets(ENRICHED),
    executor_def=dg.in_process_executor,
    description="Ask metadata providers for what watches lack, and count what is left",
)

JOBS = (*build_jobs.values(), *refresh_jobs.values(), publish_job, enrich_job, retain_job)
