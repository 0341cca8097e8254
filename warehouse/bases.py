"""Bases: what expired rows contributed to aggregates, frozen before retention takes them, and added ever after.

A base holds the difference: what a day's aggregate was, less what the rows that its cutoffs spare come to. What is
added to it is always computed from raw without what the cutoffs cover, so that it makes no difference whether a crash
has left that in place, and a session that loses half of its events is neither lost nor counted twice. Rows that do not
add up are kept as they were. Who calls when is decided in `warehouse.retention` and `warehouse.building`.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

import polars as pl

from warehouse.datasets import Dataset
from warehouse.derivations import Derivation, Frames, Late, producers, roots
from warehouse.engines import POLARS
from warehouse.policies import Limits
from warehouse.store import Store

_MARKS = ("cutoffs", "last_received_at")

Taken = Mapping[date, Limits]
"""The cutoffs by which the base of each day was taken."""


def frozen(store: Store, step: Derivation, days: Iterable[date]) -> list[date]:
    """Return, in order, those of these days that have a base."""
    wanted = set(days)
    return sorted({day for base in step.bases for day in store.lake.row_counts(base)} & wanted)


def merged(store: Store, step: Derivation, frames: Frames, days: Collection[date]) -> Frames:
    """Return the rows that a step computed of these days, those of days that have a base put in its order."""
    held = frozen(store, step, days)
    if not held:
        return frames
    others = {name: frame.filter(~pl.col("day").is_in(held)) for name, frame in frames.items()}
    own = {name: frame.filter(pl.col("day").is_in(held)) for name, frame in frames.items()}
    kept = added(store, step, held) if step.late is None else _kept(store, step, step.late, own, held)
    return {name: pl.concat([others[name], kept.get(name, own[name])]) for name in frames}


def added(store: Store, step: Derivation, days: Collection[date]) -> Frames:
    """Return what bases and the rows that they do not cover add up to, of the targets that have a base."""
    raw, made = _read(store, step, days), dict[str, Frames]()
    rows = {}
    for target, base in step.based:
        held = store.lake.read(base, days=days)
        taken = _taken(held)
        key = repr(sorted((day, limits.to_json()) for day, limits in taken.items()))
        made[key] = made.get(key) or _sums(store, step, _outside(step, raw, taken))
        rows[target.name] = total(target, [made[key][target.name], held.drop(_MARKS)])
    return rows


def freeze(store: Store, step: Derivation, days: Collection[date], limits: Limits) -> None:
    """Put into the bases of these days what the rows that expire by these limits contribute.

    Nothing is deleted: until it is, `added` leaves out what the bases hold. Safe to repeat. Of rows that do not add up
    all that the targets hold is put there, so that these must be fresh.
    """
    raw = _read(store, step, days)
    seen = [_arrivals(store, table, days, limits, every=step.late is not None) for table in roots(step)]
    left = _sums(store, step, _outside(step, raw, dict.fromkeys(days, limits))) if step.late is None else {}
    for target, base in step.based:
        old = store.lake.read(base, days=days)
        if step.late is None:
            before = _sums(store, step, _outside(step, raw, _taken(old)))[target.name]
            rows = total(target, [old.drop(_MARKS), before, _negative(target, left[target.name])])
        else:
            rows = store.lake.read(target, days=days)
        latest = pl.concat([old.select("day", "last_received_at"), *seen]).group_by("day").max()
        marked = rows.join(latest, on="day").with_columns(cutoffs=pl.lit(limits.to_json()))
        store.lake.replace_days(base, marked.select(store.lake.schema(base).names()), days)


def total(dataset: Dataset, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of an aggregate that these rows of it add up to, without those that come to nothing."""
    measures = [name for name in dataset.columns if name not in dataset.key]
    sums = [pl.col(name).max() if name.endswith("_max") else pl.col(name).sum() for name in measures]
    rows = pl.concat(frames).group_by(dataset.key).agg(sums).select(dataset.columns.keys()).cast(dataset.schema())
    counts = [name for name in measures if dataset.columns[name][0].is_integer()]
    return rows.filter(pl.any_horizontal(pl.col(name) != 0 for name in counts))


def _negative(dataset: Dataset, rows: pl.DataFrame) -> pl.DataFrame:
    measures = [name for name in dataset.columns if name not in dataset.key]
    greatest = [name for name in measures if name.endswith("_max")]
    return rows.with_columns(
        *(-pl.col(name) for name in measures if name not in greatest),
        *(pl.lit(None, dataset.columns[name][0]).alias(name) for name in greatest),
    )


def _kept(store: Store, step: Derivation, late: Late, computed: Frames, days: Collection[date]) -> Frames:
    held = {target.name: store.lake.read(base, days=days).drop(_MARKS) for target, base in step.based}
    beside = late(held, computed)
    return {name: pl.concat([rows, beside[name]]) for name, rows in held.items()}


def _taken(held: pl.DataFrame) -> Taken:
    return {day: Limits.from_json(text) for day, text in held.select("day", "cutoffs").unique().iter_rows()}


def _read(store: Store, step: Derivation, days: Collection[date]) -> Frames:
    """Return the raw rows that the rows of a step on these days are made of; none where rows do not add up."""
    tables = roots(step) if step.late is None else ()
    return {table.name: store.lake.read(table, days=days) for table in tables}


def _outside(step: Derivation, raw: Frames, taken: Taken) -> Frames:
    """Leave out the raw rows that bases with these cutoffs hold."""
    left = dict(raw)
    for table in roots(step):
        for day, limits in taken.items():
            left[table.name] = left[table.name].filter(~((pl.col("day") == day) & limits.expired(table)))
    return left


def _sums(store: Store, step: Derivation, raw: Frames) -> Frames:
    """Return what a step makes of raw rows."""
    made: dict[str, pl.DataFrame] = {}
    for maker in producers(step):
        if maker.compute is not None:
            made |= maker.compute(raw, store.settings).frames
    if step.compute is not None:
        return step.compute(made, store.settings).frames
    source = made[step.sources[0].name].lazy()
    return {
        target.name: POLARS.collect(aggregate(source, store.lake.dimensions, target))
        for target, aggregate in zip(step.targets, step.aggregates, strict=True)
    }


def _arrivals(store: Store, table: Dataset, days: Collection[date], limits: Limits, *, every: bool) -> pl.DataFrame:
    """Return the latest arrival of each day among the expired rows of a raw table, or among all."""
    wanted = pl.lit(value=True) if every else limits.expired(table)
    return store.lake.read(
        table,
        lambda rows: rows.filter(wanted).group_by("day").agg(last_received_at=pl.col("received_at").max()),
        days=days,
    )
