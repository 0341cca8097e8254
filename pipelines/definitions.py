"""Registration only: the list is the map."""

import dagster as dg

from pipelines import checks, live_checks, watch_checks
from pipelines.assets.enrichment import enriched_metadata
from pipelines.assets.events import core_cmcd, core_events, out_cmcd_sessions, out_engagement, raw_cmcd, raw_events
from pipelines.assets.incidents import incidents
from pipelines.assets.live import (
    core_chat,
    core_streams,
    core_viewers,
    out_chat_minute,
    raw_chat,
    raw_streams,
    raw_viewers,
)
from pipelines.assets.progress import out_progress_daily
from pipelines.assets.qoe import out_qoe_daily, out_qoe_hourly
from pipelines.assets.reports import report_engagement, report_progress, report_qoe, report_streams
from pipelines.assets.retention import housekeeping, retention
from pipelines.assets.sessions import core_sessions, raw_sessions
from pipelines.assets.watches import core_watches, raw_metadata, raw_watches
from pipelines.jobs import JOBS
from pipelines.resources import environment_providers, environment_store
from pipelines.schedules import SCHEDULES
from pipelines.sensors import stale_partitions


def build_defs(**overrides: object) -> dg.Definitions:
    """Return everything that Dagster runs; `overrides` swap resources: `store`, `providers`."""
    return dg.Definitions(
        assets=[
            *(raw_sessions, core_sessions, out_qoe_daily, out_qoe_hourly, incidents, report_qoe),
            *(raw_watches, raw_metadata, enriched_metadata, core_watches, out_progress_daily, report_progress),
            *(
                raw_streams,
                raw_chat,
                raw_viewers,
                core_streams,
                core_chat,
                core_viewers,
                out_chat_minute,
                report_streams,
            ),
            *(raw_events, core_events, out_engagement, report_engagement, raw_cmcd, core_cmcd, out_cmcd_sessions),
            *(retention, housekeeping),
        ],
        asset_checks=[*checks.CHECKS, *watch_checks.CHECKS, *live_checks.CHECKS],
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=[stale_partitions],
        resources={"store": environment_store, "providers": environment_providers, **overrides},
    )


defs = build_defs()
