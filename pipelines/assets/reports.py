"""Published pages. What a page shows is in `dashboards`; here it is given its frames."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from pipelines import reporting
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, Dataset
from warehouse.datasets.events import OUT_ENGAGEMENT
from warehouse.datasets.live import CORE_STREAMS, OUT_CHAT_MINUTE, OUT_MOMENTS
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY
from warehouse.store import Store


def _by_day(*datasets: Dataset) -> list[dg.AssetDep]:
    return [dg.AssetDep(dataset.name, partition_mapping=dg.AllPartitionMapping()) for dataset in datasets]


@dg.asset(
    group_name="reports",
    kinds={"plotly"},
    deps=[*_by_day(OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY), dg.AssetDep("incidents")],
)
def report_qoe(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Publish `qoe.html` for every tenant, and one over all of them for the operator."""
    return _published(store, reporting.publish_qoe(store))


@dg.asset(group_name="reports", kinds={"plotly"}, deps=[CORE_WATCHES.name, OUT_PROGRESS_DAILY.name])
def report_progress(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Publish `progress.html` for every tenant with watches."""
    return _published(store, reporting.publish_progress(store))


@dg.asset(group_name="reports", kinds={"plotly"}, deps=_by_day(CORE_STREAMS, OUT_CHAT_MINUTE, OUT_MOMENTS))
def report_streams(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Publish `streams.html` for every tenant with live streams."""
    return _published(store, reporting.publish_streams(store))


@dg.asset(group_name="reports", kinds={"plotly"}, deps=_by_day(OUT_ENGAGEMENT))
def report_engagement(store: dg.ResourceParam[Store]) -> dg.MaterializeResult[None]:
    """Publish `engagement.html` for every tenant whose players send events."""
    return _published(store, reporting.publish_engagement(store))


def _published(store: Store, pages: Sequence[Path]) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        metadata={
            "pages": dg.MetadataValue.md("\n".join(f"- `{page}`" for page in pages)),
            "index": dg.MetadataValue.path(store.settings.reports_dir / "index.html"),
        }
    )
