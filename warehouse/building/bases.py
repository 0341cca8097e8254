"""Bases: what expired rows contributed to aggregates, frozen before retention takes them, and added ever after.

A base holds the difference: what a day's aggregate was, less what the rows that its cutoffs spare come to. What is
added to it is always computed from raw without what the cutoffs cover, so that it makes no difference whether a crash
has left that in place, and a session that loses half of its events is neither lost nor counted twice. Rows that do not
add up are kept as they were. Who calls when is decided in `warehouse.governance.retention` and `warehouse.building`.
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
    left, rows = _Left(store, step, days), {}
    for target, base in step.based:
        held = store.lake.read(base, days=days)
        rows[target.name] = total(target, [left.sums(_taken(held))[target.name], held.drop(_MARKS)])
    return rows


def freeze(store: Store, step: Derivation, days: Collection[date], limits: Limits) -> None:
    """Put into the bases of these days what the rows that expire by these limits contribute.

    Nothing is deleted: until it is, `added` leaves out what the bases hold. Safe to repeat. Of rows that do not add up
    all that the targets hold is put there, so that these must be fresh.
    """
    left = _Left(store, step, days)
    seen = [_arrivals(store, table, days, limits, every=step.late is not None) for table in roots(step)]
    for target, base in step.based:
        old = store.lake.read(base, days=days)
        if step.late is None:
            before, after = (left.sums(taken)[target.name] for taken in (_taken(old), dict.fromkeys(days, limits)))
            rows = total(target, [old.drop(_MARKS), before, _negative(target, after)])
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


class _Left:
    """What a step makes of the raw rows of some days without those that bases hold; each computed once."""

    def __init__(self, store: Store, step: Derivation, days: Collection[date]) -> None:
        tables = roots(step) if step.late is None else ()
        self._raw = [(table, store.lake.read(table, days=days)) for table in tables]
        self._store, self._step = store, step
        self._made: list[tuple[Taken, Frames]] = []

    def sums(self, taken: Taken) -> Frames:
        """Return the targets' rows; the base of each day was taken by these cutoffs."""
        for known, frames in self._made:
            if known == taken:
                return frames
        raw = {}
        for table, rows in self._raw:
            covered = [(pl.col("day") == day) & limits.expired(table) for day, limits in taken.items()]
            raw[table.name] = rows.filter(~pl.any_horizontal(pl.lit(value=False), *covered))
        self._made.append((taken, self._compute(raw)))
        return self._made[-1][1]

    def _compute(self, raw: Frames) -> Frames:
        step, made = self._step, dict[str, pl.DataFrame]()
        if all(rows.is_empty() for rows in raw.values()):
            return {target.name: pl.DataFrame(schema=self._store.lake.schema(target)) for target in step.targets}
        for maker in producers(step):
            if maker.compute is not None:
                made |= maker.compute(raw, self._store.settings).frames
        if step.compute is not None:
            return step.compute(made, self._store.settings).frames
        return step.aggregated(POLARS, made[step.sources[0].name].lazy(), self._store.lake.dimensions)


def _arrivals(store: Store, table: Dataset, days: Collection[date], limits: Limits, *, every: bool) -> pl.DataFrame:
    """Return the latest arrival of each day among the expired rows of a raw table, or among all."""
    wanted = pl.lit(value=True) if every else limits.expired(table)
    return store.lake.read(
        table,
        lambda rows: rows.filter(wanted).group_by("day").agg(last_received_at=pl.col("received_at").max()),
        days=days,
    )
