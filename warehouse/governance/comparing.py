"""How the rows of a table differ from those that they should be. What they should be is known to `rebuilding`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

TOLERANCE = 1e-9
"""Relative difference up to which sums of fractions are equal: they are added in no fixed order."""


@dataclass(frozen=True)
class Difference:
    """Rows of a table, or of one day of it, that are not what raw says: lacking, too many, or with other values."""

    table: str
    day: date | None
    missing: int
    extra: int
    changed: int

    def __str__(self) -> str:
        """Say it in words."""
        where = self.table if self.day is None else f"{self.table} of {self.day}"
        return f"{where}: {self.missing} missing, {self.extra} too many, {self.changed} changed"


def compare(table: str, key: Sequence[str], held: pl.DataFrame, expected: pl.DataFrame) -> Iterator[Difference]:
    """Yield how the rows that a table holds differ from those expected, by day where both have one.

    Rows are matched by the key.
    """
    if "day" not in held.columns:
        held, expected = (frame.with_columns(day=pl.lit(None, pl.Date)) for frame in (held, expected))
    values = [column for column in held.columns if column not in key]
    first = held.unique(key, keep="first", maintain_order=True)
    both = first.with_columns(_held=True).join(
        expected.with_columns(_expected=True), on=key, how="full", suffix="_expected", nulls_equal=True
    )
    counted = (
        both.with_columns(
            day=pl.coalesce("day", "day_expected"),
            missing=pl.col("_held").is_null(),
            extra=pl.col("_expected").is_null(),
            changed=pl.any_horizontal(_differs(column, held.schema[column]) for column in values),
        )
        .with_columns(pl.col("changed") & ~pl.col("missing") & ~pl.col("extra"))
        .group_by("day")
        .agg(pl.col("missing", "extra", "changed").sum())
    )
    counts = held.group_by("day").len().join(first.group_by("day").len(), on="day", suffix="_once", nulls_equal=True)
    repeated = counts.select("day", extra=pl.col("len") - pl.col("len_once"))
    total = pl.concat([counted, repeated], how="diagonal").group_by("day").sum().sort("day")
    for row in total.filter(pl.any_horizontal(pl.col("missing", "extra", "changed") > 0)).iter_rows(named=True):
        yield Difference(table, **row)


def _differs(column: str, dtype: pl.DataType) -> pl.Expr:
    held, expected = pl.col(column), pl.col(f"{column}_expected")
    if not dtype.is_float():
        return held.ne_missing(expected)
    apart = (held - expected).abs() > TOLERANCE * pl.max_horizontal(held.abs(), expected.abs())
    return apart.fill_null(value=False) | (held.is_null() != expected.is_null())
