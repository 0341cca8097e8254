"""Published pages. What a page shows is in `dashboards`; here it is given its frames."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from pipelines import reporting
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.store import Store
from warehouse.watch_datasets import CORE_WATCHES, OUT_PROGRESS_DAILY


@dg.asset(
    group_name="reports",
    kinds={"plotly"},
    deps=[
        dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping())
        for name in (OUT_QOE_DAILY.name, OUT_QOE_HISTOGRAM_DAILY.name)
    ]
    + ["incidents"],
)
def report_qoe(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Publish `qoe.html` for every tenant, and one over all of them for the operator."""
    return _published(store, reporting.publish_qoe(store))


@dg.asset(group_name="reports", kinds={"plotly"}, deps=[CORE_WATCHES.name, OUT_PROGRESS_DAILY.name])
def report_progress(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Publish `progress.html` for every tenant with watches."""
    return _published(store, reporting.publish_progress(store))


def _published(store: Store, pages: Sequence[Path]) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        metadata={
            "pages": dg.MetadataValue.md("\n".join(f"- `{page}`" for page in pages)),
            "index": dg.MetadataValue.path(store.settings.reports_dir / "index.html"),
        }
    )
