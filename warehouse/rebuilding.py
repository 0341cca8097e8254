"""Rebuilding everything that is derived from raw alone, and proving that it equals what is there.

Tables of the lake are computed anew and compared; the sessions of Postgres are replayed in `warehouse.replaying`.
Control tables are not touched, bases of frozen days are kept. No call leaves the machine.
"""

from collections.abc import Iterator
from datetime import datetime

import polars as pl
from psycopg import sql

from warehouse import building, replaying
from warehouse.datasets import Dataset
from warehouse.derivations import DERIVATIONS, Derivation
from warehouse.replaying import Difference
from warehouse.store import Store
from warehouse.tables import PUBLISHED

TOLERANCE = 1e-9
"""Relative difference up to which sums of fractions are equal: they are added in no fixed order."""


def verify(store: Store, cut: datetime) -> Iterator[Difference]:
    """Compare everything derived with what raw gives; yield each day that differs, change nothing.

    What arrived after `cut` is left out, and so are days that a refresh has yet to build.
    """
    yield from replaying.sessions(store, cut, mend=False)
    for step in DERIVATIONS:
        yield from _computed(store, step)
        for target in step.targets:
            if target.name in PUBLISHED:
                lake, name = store.lake.read(target), f"{target.name} in Postgres"
                yield from compare(target, _published(store, target), lake, name)


def _computed(store: Store, step: Derivation) -> Iterator[Difference]:
    stale = set(building.stale_days(store, step))
    for days in building.portions(store, step, building.all_days(store, step)):
        with store.database.connect() as connection:
            frames = building.compute(store, connection, step, days).frames
        for target in step.targets:
            for difference in compare(target, store.lake.read(target, days=days), frames[target.name]):
                if not {difference.day, building.WHOLE} & stale:
                    yield difference


def rebuild(store: Store, cut: datetime) -> Iterator[Difference]:
    """Make everything derived what raw gives; yield what had differed of the sessions in Postgres."""
    yield from replaying.sessions(store, cut, mend=True)
    for step in DERIVATIONS:
        building.build(store, step, building.all_days(store, step))


def frozen(store: Store) -> dict[str, int]:
    """Return the bases that are kept, with their number of days."""
    counts = {base.name: len(store.lake.row_counts(base)) for step in DERIVATIONS for base in step.bases}
    return {name: days for name, days in counts.items() if days}


def compare(dataset: Dataset, held: pl.DataFrame, expected: pl.DataFrame, name: str = "") -> Iterator[Difference]:
    """Yield, by day, how the rows that a table holds differ from those expected; rows are matched by its key."""
    values = [column for column in dataset.schema() if column not in dataset.key]
    first = held.unique(dataset.key, keep="first", maintain_order=True)
    both = first.with_columns(_held=True).join(
        expected.with_columns(_expected=True), on=dataset.key, how="full", suffix="_expected", nulls_equal=True
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
    counts = held.group_by("day").len().join(first.group_by("day").len(), on="day", suffix="_once")
    repeated = counts.select("day", extra=pl.col("len") - pl.col("len_once"))
    total = pl.concat([counted, repeated], how="diagonal").group_by("day").sum().sort("day")
    for row in total.filter(pl.any_horizontal(pl.col("missing", "extra", "changed") > 0)).iter_rows(named=True):
        yield Difference(name or dataset.name, **row)


def _differs(column: str, dtype: pl.DataType) -> pl.Expr:
    held, expected = pl.col(column), pl.col(f"{column}_expected")
    if not dtype.is_float():
        return held.ne_missing(expected)
    apart = (held - expected).abs() > TOLERANCE * pl.max_horizontal(held.abs(), expected.abs())
    return apart.fill_null(value=False) | (held.is_null() != expected.is_null())


def _published(store: Store, target: Dataset) -> pl.DataFrame:
    schema = target.schema()
    with store.database.connect() as connection:
        names = sql.SQL(", ").join(map(sql.Identifier, schema))
        query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(target.name))
        rows = connection.execute(query).fetchall()
    return pl.DataFrame(rows, schema=schema, orient="row")
