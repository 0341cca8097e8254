"""Which pages are published, and which frames each is given. What a page shows is in `dashboards`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from dashboards import engagement_report, progress_report, publish, qoe_report, streams_report
from warehouse.datasets import CORE_SESSIONS, CORE_SESSIONS_QUARANTINE, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.datasets.events import OUT_ENGAGEMENT
from warehouse.datasets.live import CORE_CHAT, CORE_STREAMS, CORE_VIEWERS, OUT_CHAT_MINUTE, OUT_MOMENTS
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY
from warehouse.incidents import finding
from warehouse.store import Store
from warehouse.watches import goal_setting


def publish_qoe(store: Store) -> Sequence[Path]:
    """Publish `qoe.html` for each tenant and over all of them, `metrics.html` and the index; return the pages' paths.

    Pages of tenants that have no rows any more are removed.
    """
    out = store.lake.scan(OUT_QOE_DAILY).collect()
    hist = store.lake.scan(OUT_QOE_HISTOGRAM_DAILY).collect()
    quarantine = store.lake.scan(CORE_SESSIONS_QUARANTINE)
    build = partial(
        qoe_report.build,
        out,
        hist,
        store.lake.scan(CORE_SESSIONS),
        quarantine=quarantine,
        built_at=store.settings.now(),
        definition_version=store.definition_version,
        dimensions=tuple(store.settings.dimensions),
    )
    refused = quarantine.select(pl.col("tenant").unique()).collect()["tenant"]
    tenants = sorted(out["tenant"].unique())
    of_all = build(tenant=None, incidents=_incidents(store, None))
    # What is true of the only tenant is true of all: it is not computed twice.
    if len(tenants) == 1 and set(refused) <= set(tenants):
        own = [qoe_report.of_tenant(of_all, *tenants)]
    else:
        own = [build(tenant=name, incidents=_incidents(store, name)) for name in tenants]
    reports_dir = store.settings.reports_dir
    return _finish(store, "qoe.html", [publish.publish_qoe(reports_dir, report) for report in (of_all, *own)])


def _incidents(store: Store, tenant: str | None) -> Sequence[Mapping[str, Any]]:
    with store.database.connect() as connection:
        return finding.load(connection, tenant)


def publish_progress(store: Store) -> Sequence[Path]:
    """Publish `progress.html` for each tenant with watches, and the index; likewise."""
    out = store.lake.scan(OUT_PROGRESS_DAILY).collect()
    reports = (
        progress_report.build(
            out,
            store.lake.scan(CORE_WATCHES),
            tenant=tenant,
            built_at=store.settings.now(),
            definition_version=store.definition_version,
            goals=_goals(store, tenant, users["user_id"].unique()),
        )
        for (tenant,), users in sorted(out.partition_by("tenant", as_dict=True).items())
    )
    pages = [publish.publish_progress(store.settings.reports_dir, report) for report in reports]
    return _finish(store, "progress.html", pages)


def publish_streams(store: Store) -> Sequence[Path]:
    """Publish `streams.html` for each tenant with chat or viewers, and the index; likewise."""
    scans = map(store.lake.scan, (OUT_CHAT_MINUTE, OUT_MOMENTS, CORE_STREAMS, CORE_CHAT, CORE_VIEWERS))
    tables = streams_report.Tables(*scans)
    build = partial(
        streams_report.build, tables, built_at=store.settings.now(), definition_version=store.definition_version
    )
    tenants = sorted(tables.minutes.select(pl.col("tenant").unique()).collect()["tenant"])
    pages = [publish.publish_streams(store.settings.reports_dir, build(tenant=tenant)) for tenant in tenants]
    return _finish(store, "streams.html", pages)


def publish_engagement(store: Store) -> Sequence[Path]:
    """Publish `engagement.html` for each tenant whose players send events, and the index; likewise."""
    out = store.lake.scan(OUT_ENGAGEMENT).collect()
    build = partial(
        engagement_report.build, out, built_at=store.settings.now(), definition_version=store.definition_version
    )
    tenants = sorted(out["tenant"].unique())
    pages = [publish.publish_engagement(store.settings.reports_dir, build(tenant=tenant)) for tenant in tenants]
    return _finish(store, "engagement.html", pages)


def publish_everything(store: Store) -> Sequence[Path]:
    """Publish every page from what is there; return their paths."""
    pages = (publish_qoe, publish_progress, publish_streams, publish_engagement)
    return tuple(path for publish_pages in pages for path in publish_pages(store))


def _goals(store: Store, tenant: str, users: Iterable[str]) -> dict[str, progress_report.Goals]:
    with store.database.connect() as connection:
        return {user: goal_setting.goals_of(connection, tenant, user) for user in users}


def _finish(store: Store, name: str, pages: Collection[Path]) -> Sequence[Path]:
    reports_dir = store.settings.reports_dir
    for page in set(reports_dir.glob(f"*/{name}")) - set(pages):
        page.unlink()
    metrics = publish.publish_metrics(reports_dir)
    return (*pages, metrics, publish.publish_index(reports_dir))
