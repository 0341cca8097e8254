"""How a dataset is declared to Delta Lake and Polars: columns with their comments, properties, where it may lie.

Reading and writing is in `warehouse.lake`, what the columns are in `warehouse.datasets`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import polars as pl
from deltalake import Field, Schema
from deltalake.schema import ArrayType, PrimitiveType

from warehouse.datasets import Dataset

_PRIMITIVES: dict[type[pl.DataType], str] = {
    pl.String: "string",
    pl.Int64: "long",
    pl.Int32: "integer",
    pl.Float64: "double",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamp",
}

_UNUSABLE = re.compile(r"[\[\]\\^|]|%[0-9A-Fa-f]{2}|/day=")


def location(url: str) -> str:
    """Return the URL, or the absolute path of a folder; raise ValueError where Delta Lake would not find its files."""
    path = url.removeprefix("file://")
    full = path if "://" in path else str(Path(path).resolve())
    if found := _UNUSABLE.search(full):
        raise ValueError(f"the lake cannot lie in {full}: Delta Lake does not find paths with {found[0]!r}")
    return full


def hive_schema(dataset: Dataset, url: str) -> dict[str, pl.DataType]:
    """Return the types of what Polars reads out of a file's path."""
    # It takes every `name=value` for a partition, also those above the table.
    above: dict[str, pl.DataType] = {part.split("=", 1)[0]: pl.String() for part in url.split("/") if "=" in part}
    return above | {dataset.partition: dataset.columns[dataset.partition][0]}


def delta_schema(dataset: Dataset, dimensions: Mapping[str, str]) -> Schema:
    """Return the table's Delta schema; every column but the partition may be null."""
    comments = {name: comment for name, (_, comment) in dataset.columns.items()}
    comments |= {name: f"Payload field {source}" for name, source in dimensions.items() if name not in comments}
    return Schema(
        [
            Field(
                name,
                _delta_type(dtype),
                nullable=name != dataset.partition,
                metadata={"comment": comments[name]},
            )
            for name, dtype in dataset.schema(dimensions).items()
        ]
    )


def _delta_type(dtype: pl.DataType) -> PrimitiveType | ArrayType:
    if isinstance(dtype, pl.List):
        return ArrayType(_delta_type(cast("pl.DataType", dtype.inner)), contains_null=True)
    return PrimitiveType(_PRIMITIVES[type(dtype)])


def configuration(dataset: Dataset, dimensions: Mapping[str, str]) -> dict[str, str | None]:
    """Return the table's properties.

    Statistics are kept of columns that identify nobody, for the log must hold nothing to forget. Removed files stay
    a day, for readers that still list them; the log a week, for looking into what happened.
    """
    described = [
        name
        for name, dtype in dataset.schema(dimensions).items()
        if name not in {dataset.partition, *dataset.identifying} and not isinstance(dtype, pl.List)
    ]
    return {
        "delta.dataSkippingStatsColumns": ",".join(described),
        "delta.checkpointInterval": "50",
        "delta.logRetentionDuration": "interval 7 days",
        "delta.deletedFileRetentionDuration": "interval 1 days",
        "delta.enableExpiredLogCleanup": "true",
    }
