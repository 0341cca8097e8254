"""What a lake table is: columns with units, key, partition, what identifies somebody. The tables are in `datasets`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Dataset:
    """One lake table.

    `columns` maps a name to its type and comment; `key` identifies a row; `identifying` columns are left out of the
    table log's statistics, so that the log holds nothing to forget; `dimensional` tables also carry the configured
    dimensions, as nullable strings, after their own columns. Days that are replaced are written in the order of
    `sorted_by`, then of the key, so that rows which are summed together lie together. `retention` is the kind of policy
    that its rows expire by; what is derived without one goes with its sources.
    """

    name: str
    comment: str
    columns: Mapping[str, tuple[pl.DataType, str]]
    key: tuple[str, ...]
    identifying: frozenset[str] = frozenset()
    dimensional: bool = False
    partition: str = "day"
    sorted_by: tuple[str, ...] = ()
    retention: str | None = None

    def schema(self, dimensions: Mapping[str, str] | None = None) -> pl.Schema:
        """Return the Polars schema, with the configured dimensions where the table carries them."""
        schema: dict[str, pl.DataType] = {name: dtype for name, (dtype, _) in self.columns.items()}
        if self.dimensional:
            schema |= {name: pl.String() for name in dimensions or {}}
        return pl.Schema(schema)


def base_of(dataset: Dataset) -> Dataset:
    """Return the table that keeps of an aggregate, by its own keys, what its sources do not give any more."""
    frozen: dict[str, tuple[pl.DataType, str]] = {
        "cutoffs": (pl.String(), "The cutoffs, JSON: what had arrived before them is in the base, and only there"),
        "last_received_at": (INSTANT, "The latest arrival in the base: from it, the base itself expires"),
    }
    return replace(
        dataset,
        name=f"{dataset.name}_base",
        comment=f"What expired rows contributed to {dataset.name}; it adds up with what is still there",
        columns={**dataset.columns, **frozen},
        retention="aggregates",
    )
