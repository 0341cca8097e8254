"""The jobs: what a run covers. In-process, for a process a step costs more than the step."""

import dagster as dg

from warehouse.datasets import CORE_SESSIONS, CORE_SESSIONS_QUARANTINE, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY

DERIVED = (CORE_SESSIONS.name, CORE_SESSIONS_QUARANTINE.name, OUT_QOE_DAILY.name, OUT_QOE_HISTOGRAM_DAILY.name)
REPORTS = ("report_qoe",)

build_job = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.assets(*DERIVED).without_checks(),
    executor_def=dg.in_process_executor,
    description="Rebuild a range of days, before other ranges follow",
)

refresh_job = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.assets(*DERIVED, *REPORTS),
    executor_def=dg.in_process_executor,
    description="Rebuild a range of days from raw to report, and check the result",
)

publish_job = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.assets(*REPORTS) | dg.AssetSelection.checks_for_assets(*DERIVED),
    executor_def=dg.in_process_executor,
    description="Publish every report from what is aggregated, and run every check",
)
