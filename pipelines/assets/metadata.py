"""What the Dagster UI shows of a table: schema, row counts by day; of aggregates also their metrics and a preview."""

from collections.abc import Mapping
from datetime import date

import dagster as dg
import polars as pl

from warehouse.building import Built
from warehouse.datasets import Dataset
from warehouse.metrics.registry import METRICS

Metadata = dict[str, int | dg.MarkdownMetadataValue]

PREVIEW_ROWS = 8
PREVIEW_COLUMNS = 12


def column_schema(dataset: Dataset) -> dg.TableSchema:
    """Return the columns with their types and comments."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, str(dtype), description=comment) for name, (dtype, comment) in dataset.columns.items()
        ]
    )


def spec(dataset: Dataset, group: str, **kwargs: object) -> dg.AssetSpec:
    """Return the asset of a dataset: named, described and typed as the dataset is."""
    return dg.AssetSpec(
        dataset.name,
        description=dataset.comment,
        group_name=group,
        kinds={"polars", "deltalake"},
        metadata={
            "dagster/column_schema": column_schema(dataset),
            "key": ", ".join(dataset.key),
            **_metrics(dataset),
        },
        **kwargs,  # type: ignore[arg-type]
    )


def _metrics(dataset: Dataset) -> dict[str, dg.MarkdownMetadataValue]:
    """Return what can be read from an aggregate, by the registry; hours are read as days are."""
    table = dataset.name.replace("hourly", "daily")
    lines = [_line([m.title, f"`{m.name}`", m.formula, m.nulls]) for m in METRICS.values() if m.table == table]
    head = [_line(["metric", "name", "formula", "counted"]), _line(["---"] * 4)]
    return {"metrics": dg.MetadataValue.md("\n".join([*head, *lines]))} if lines else {}


def report_rows(context: dg.AssetExecutionContext, built: Built) -> dict[str, Metadata]:
    """Attach each day's row count to its partition; return the metadata of the run as a whole, by dataset.

    Tables that are built as a whole have no partitions.
    """
    whole: dict[str, Metadata] = {}
    is_partitioned = context.assets_def.partitions_def is not None
    for name, rows in built.rows.items():
        for day, count in rows.items() if is_partitioned else ():
            context.add_asset_metadata(
                {"dagster/partition_row_count": count}, asset_key=name, partition_key=day.isoformat()
            )
        whole[name] = {"rows_written": sum(rows.values()), "days": len(rows)}
        if name in built.previews:
            whole[name]["preview"] = dg.MetadataValue.md(preview(built.previews[name]))
    return whole


def preview(frame: pl.DataFrame) -> str:
    """Return the first rows and columns as a Markdown table."""
    head = frame.head(PREVIEW_ROWS)[:, :PREVIEW_COLUMNS]
    lines = [_line(head.columns), _line(["---"] * head.width)]
    lines += [_line([_cell(value) for value in row]) for row in head.iter_rows()]
    return "\n".join(lines)


def raw_materialization(
    dataset: Dataset, day: date, rows: Mapping[date, int], fingerprint: str | None
) -> dg.AssetMaterialization:
    """Return the event that tells of rows landed in a day of a raw table."""
    return dg.AssetMaterialization(
        dataset.name,
        partition=day.isoformat(),
        metadata={"dagster/partition_row_count": rows.get(day, 0)},
        tags={"dagster/data_version": fingerprint or "none"},
    )


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|")


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
