"""The rows of `out`: sums over sessions by content x stream type, and by each configured dimension.

Shared by `qoe` and `histogram`, so that both have the same keys. Written in Narwhals and therefore kept to what every
engine knows: no division, no ordered aggregation, windows only over small frames. What is summed is not known here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrameT

from warehouse.datasets import CONTENT_DIMENSION, Dataset

Frame: TypeAlias = nw.LazyFrame[Any]

MAX_VALUES = 50
"""A marginal keeps the values of the most sessions of a day and tenant, so many; the others are folded."""

OTHER = "other"

_PARTITION = ("day", "tenant")
_SLICE = (*_PARTITION, "dimension", "value", "content_id", "stream_type")
_DTYPES = {
    pl.Date: nw.Date(),
    pl.Datetime: nw.Datetime("us", "UTC"),
    pl.String: nw.String(),
    pl.Int32: nw.Int32(),
    pl.Int64: nw.Int64(),
    pl.Float64: nw.Float64(),
}


def sums_by_slice(
    core: IntoFrameT,
    dataset: Dataset,
    dimensions: Mapping[str, str],
    measure: Callable[[Frame], Frame],
    sums: Mapping[str, nw.Expr],
    *,
    in_order: bool = False,
) -> IntoFrameT:
    """Sum core sessions into the rows of `dataset`, with exactly its columns and types.

    `core` is a frame of `CORE_SESSIONS` of any engine that Narwhals knows; the result is one of the same engine, eager
    if `core` is. `measure` adds columns to the sessions, and may leave out sessions; `sums` are aggregations over them
    whose results add up. Rows are one for content x stream type and one for each value of each configured dimension,
    within a day, a tenant and what else `dataset` has in its key, such as the hour.

    A dimension's values beyond the 50 of the most sessions of a day and tenant (at equal counts the smaller text
    first) become `other`, also within its hours, so that they add up to the day; null, where none was sent, stays null
    and is never folded.

    `in_order` says that sessions of one content, type and hour mostly follow one another: that is faster where it is
    so, and takes more memory where it is not.
    """
    given = nw.from_native(cast("Any", core))
    sessions: Frame = given.lazy()
    if "hour" in dataset.key:
        sessions = sessions.with_columns(hour=nw.col("started_at").dt.truncate("1h"))
    measured = measure(sessions)
    keys = tuple(name for name in dataset.key if name not in _SLICE)
    group = _sum_runs if in_order and measured.implementation.is_polars() else _sum
    content = group(measured, (*_PARTITION, "content_id", "stream_type", *keys), sums).with_columns(
        dimension=nw.lit(CONTENT_DIMENSION), value=nw.lit(None, nw.String)
    )
    marginals = [_marginal(sessions, measured, name, sums, keys) for name in dimensions]
    # Types are settled before the union: engines widen sums in their own ways.
    columns = [nw.col(name).cast(_DTYPES[type(dtype)]) for name, (dtype, _) in dataset.columns.items()]
    out = nw.concat([part.select(*columns) for part in (content, *marginals)], how="vertical")
    return cast("IntoFrameT", (out.collect() if isinstance(given, nw.DataFrame) else out).to_native())


def _sum(measured: Frame, keys: Sequence[str], sums: Mapping[str, nw.Expr]) -> Frame:
    return measured.group_by(*keys).agg(**sums)


def _sum_runs(measured: Frame, keys: Sequence[str], sums: Mapping[str, nw.Expr]) -> Frame:
    """Sum each run of equal keys first: rows of a sorted number are added up without looking for their group."""
    native: pl.LazyFrame = measured.to_native()
    begins = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in keys)
    numbered = nw.from_native(native.with_columns(_run=begins.cum_sum().set_sorted()))
    runs = numbered.group_by("_run").agg(*(nw.col(name).any_value() for name in keys), **sums)
    return runs.group_by(*keys).agg(*(nw.col(name).sum() for name in sums))


def _marginal(sessions: Frame, measured: Frame, name: str, sums: Mapping[str, nw.Expr], keys: tuple[str, ...]) -> Frame:
    value = nw.col("_value")
    named = measured.with_columns(_value=nw.col(name)).group_by(*_PARTITION, "_value", *keys).agg(**sums)
    folded = named.join(_frequent(sessions, name), on=[*_PARTITION, "_value"], how="left").with_columns(
        value=nw.when(nw.col("_rank").is_null() & ~value.is_null()).then(nw.lit(OTHER)).otherwise(value)
    )
    return (
        folded.group_by(*_PARTITION, "value", *keys)
        .agg(*(nw.col(column).sum() for column in sums))
        .with_columns(
            dimension=nw.lit(name),
            content_id=nw.lit(None, nw.String),
            stream_type=nw.lit(None, nw.String),
        )
    )


def _frequent(sessions: Frame, name: str) -> Frame:
    counted = (
        sessions.with_columns(_value=nw.col(name))
        .filter(~nw.col("_value").is_null())
        .group_by(*_PARTITION, "_value")
        .agg(_fewer=nw.len())
        # Counted down, for the window orders upwards; and as Int64, for the count may be unsigned.
        .with_columns(_fewer=nw.col("_fewer").cast(nw.Int64()) * -1, _one=nw.lit(1))
    )
    rank = nw.col("_one").cum_sum().over(*_PARTITION, order_by=["_fewer", "_value"])
    ranked = counted.with_columns(_rank=rank).filter(nw.col("_rank") <= MAX_VALUES)
    return ranked.select(*_PARTITION, "_value", "_rank")
