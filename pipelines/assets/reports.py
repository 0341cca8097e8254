"""Published pages. What a page shows is in `dashboards`; here it is given its frames."""

import dagster as dg

from pipelines.reporting import publish_reports
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.store import Store


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
    pages = publish_reports(store)
    return dg.MaterializeResult(
        metadata={
            "pages": dg.MetadataValue.md("\n".join(f"- `{page}`" for page in pages)),
            "index": dg.MetadataValue.path(store.settings.reports_dir / "index.html"),
        }
    )
