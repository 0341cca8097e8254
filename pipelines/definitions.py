"""Registration only: the list is the map."""

import dagster as dg

from pipelines.assets.qoe import out_qoe_daily
from pipelines.assets.reports import report_qoe
from pipelines.assets.retention import housekeeping, retention
from pipelines.assets.sessions import core_sessions, raw_sessions
from pipelines.checks import CHECKS
from pipelines.jobs import JOBS
from pipelines.resources import environment_store
from pipelines.schedules import SCHEDULES
from pipelines.sensors import stale_partitions


def build_defs(**overrides: object) -> dg.Definitions:
    """Return everything that Dagster runs; `overrides` swap resources, such as `store`."""
    return dg.Definitions(
        assets=[raw_sessions, core_sessions, out_qoe_daily, report_qoe, retention, housekeeping],
        asset_checks=CHECKS,
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=[stale_partitions],
        resources={"store": environment_store, **overrides},
    )


defs = build_defs()
