"""Bases: what expired rows contributed to aggregates, frozen before retention takes them, and added ever after.

A row is either in the base or among what is still there, never in both: each day's base says by which cutoffs it was
taken, and rows that these cover are left out of what is added to it, also while a crash has left them in place. Who
calls when is decided in `warehouse.retention` and `warehouse.building`.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from warehouse.datasets import Dataset
from warehouse.derivations import Derivation, Frames
from warehouse.engines import POLARS
from warehouse.lake import again
from warehouse.policies import Cutoffs
from warehouse.store import Store

_MARKS = ("cutoffs", "last_received_at")


def expired(rows: pl.LazyFrame, cutoffs: Cutoffs) -> pl.Expr:
    """Return whether a row of sessions, raw or core, is expired."""
    stream_type = "stream_type" if "stream_type" in rows.collect_schema() else None
    kind = pl.col(stream_type) if stream_type else pl.col("payload").str.json_path_match("$.streamType")
    return cutoffs.expired(pl.col("received_at"), kind)


def frozen(store: Store, step: Derivation, days: Iterable[date]) -> list[date]:
    """Return, in order, those of these days that have a base."""
    return sorted(_taken(store, step.bases[0], list(days))) if step.bases else []


def added(store: Store, step: Derivation, days: Iterable[date]) -> Frames:
    """Return the rows of the step's targets on days that have a base: the base, and what is not in it.

    Where a crash left only some of the step's bases frozen, the others are frozen first.
    """
    wanted = list(days)
    first, *others = (_taken(store, base, wanted) for base in step.bases)
    for cutoffs in {first[day] for other in others for day in first if other.get(day) != first[day]}:
        freeze(store, step, [day for day in first if first[day] == cutoffs], cutoffs)

    def make() -> Frames:
        rows = _outside(store.lake.scan(step.sources[0], days=wanted), first)
        return step.aggregated(POLARS, rows, store.lake.dimensions)

    made = again(make)
    return {
        target.name: total(target, [made[target.name], store.lake.read(base, days=wanted).drop(_MARKS)])
        for target, base in zip(step.targets, step.bases, strict=True)
    }


def freeze(store: Store, step: Derivation, days: Iterable[date], cutoffs: Cutoffs) -> None:
    """Add to the bases of these days what of the source rows these cutoffs cover.

    Nothing is deleted: until it is, `added` leaves out what the bases hold. Safe to repeat. The source must not change
    meanwhile.
    """
    wanted = list(days)
    for target, base in zip(step.targets, step.bases, strict=True):
        outside = _outside(store.lake.scan(step.sources[0], days=wanted), _taken(store, base, wanted))
        going = outside.filter(expired(outside, cutoffs))
        frame = step.aggregated(POLARS, going, store.lake.dimensions)[target.name]
        old = store.lake.read(base, days=wanted)
        latest = going.group_by("day").agg(last_received_at=pl.col("received_at").max()).collect()
        seen = pl.concat([old.select("day", "last_received_at"), latest]).group_by("day").max()
        rows = total(target, [frame, old.drop(_MARKS)]).join(seen, on="day")
        marked = rows.with_columns(cutoffs=pl.lit(cutoffs.to_json()))
        store.lake.replace_days(base, marked.select(store.lake.schema(base).names()), wanted)


def total(dataset: Dataset, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of an aggregate that these rows of it add up to."""
    summed = [name for name in dataset.columns if name not in dataset.key]
    rows = pl.concat(frames).group_by(dataset.key).agg(pl.col(summed).sum())
    return rows.select(dataset.columns.keys()).cast(dataset.schema())


def _taken(store: Store, base: Dataset, days: Iterable[date]) -> dict[date, Cutoffs]:
    """Return the cutoffs of each of these days that has a base."""
    marks = store.lake.read(base, lambda rows: rows.select("day", "cutoffs").unique(), days=days)
    return {day: Cutoffs.from_json(text) for day, text in marks.sort("day").iter_rows()}


def _outside(source: pl.LazyFrame, taken: Mapping[date, Cutoffs]) -> pl.LazyFrame:
    """Leave out the rows that bases with these cutoffs hold."""
    for day, cutoffs in taken.items():
        source = source.filter(~((pl.col("day") == day) & expired(source, cutoffs)))
    return source
