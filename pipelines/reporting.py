"""Which pages are published, and which frames each is given. What a page shows is in `dashboards`."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from dashboards import numbers, publish, qoe_page, qoe_report
from warehouse import incidents
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.store import Store

QOE_TITLE = "Quality of experience"


def publish_reports(store: Store) -> Sequence[Path]:
    """Publish `qoe.html` for each tenant and over all of them, and an index; return the pages' paths.

    Pages of tenants that have no rows any more are removed.
    """
    reports_dir = store.settings.reports_dir
    out = store.lake.scan(OUT_QOE_DAILY).collect()
    hist = store.lake.scan(OUT_QOE_HISTOGRAM_DAILY).collect()
    tenants = (None, *sorted(out["tenant"].unique()))
    entries = [_publish_qoe(store, out, hist, tenant) for tenant in tenants]
    for page in set(reports_dir.glob("*/qoe.html")) - {entry.path for entry in entries}:
        page.unlink()
    index = publish.publish_index(reports_dir, entries)
    return (*(entry.path for entry in entries), index)


def _publish_qoe(store: Store, out: pl.DataFrame, hist: pl.DataFrame, tenant: str | None) -> publish.Entry:
    built_at = store.settings.now()
    with store.database.connect() as connection:
        told = incidents.load(connection, tenant)
    report = qoe_report.build(
        out,
        hist,
        store.lake.scan(CORE_SESSIONS),
        tenant=tenant,
        built_at=built_at,
        definition_version=store.definition_version,
        dimensions=tuple(store.settings.dimensions),
        incidents=told,
    )
    return publish.Entry(
        tenant=tenant,
        title=QOE_TITLE,
        path=publish.publish_qoe(store.settings.reports_dir, report),
        built_at=built_at,
        summary=f"{numbers.count(report.sessions, 'session')}, {qoe_page.period(report)}",
    )
