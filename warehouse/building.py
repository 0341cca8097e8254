"""Builds of derived tables: read the sources, compute, replace, record. Knows no scheduler.

A build is recorded with the fingerprint of the sources it saw, taken before they are read: what lands meanwhile makes
the partition stale again instead of being missed. What is derived from what is in `warehouse.derivations`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

import polars as pl
import psycopg

from warehouse import bases, builds, publishing
from warehouse.datasets import Dataset
from warehouse.derivations import DERIVATIONS, Computed, Derivation, Frames
from warehouse.store import Store
from warehouse.tables import PUBLISHED

ROWS_AT_ONCE = 1_000_000
"""Source rows that one commit may cover: bounds memory however many days a run spans."""

WHOLE = date.min
"""The day under which builds of whole tables are recorded."""

_LOCK_CLASS = 0x504C4159


@dataclass
class Built:
    """What a build wrote: rows of each dataset by day, and the last frames of published ones for a preview."""

    rows: dict[str, dict[date, int]] = field(default_factory=dict)
    previews: dict[str, pl.DataFrame] = field(default_factory=dict)


def fingerprints(store: Store, step: Derivation) -> dict[date, str]:
    """Return what identifies the rows of a step's sources, by day; of a whole step all days under `WHOLE`."""
    seen: dict[date, list[str]] = {}
    for source in (*step.sources, *step.bases):
        for day, fingerprint in store.lake.fingerprints(source).items():
            seen.setdefault(WHOLE if step.whole else day, []).append(f"{source.name}:{day}:{fingerprint}")
    return {day: hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32] for day, parts in sorted(seen.items())}


def stale_days(store: Store, *steps: Derivation) -> list[date]:
    """Return, in order, the days that one of these steps (all by default) must be built again for.

    Such a day was built from other sources than the present ones, or by other definitions. `WHOLE` stands for a table
    that is built as a whole.
    """
    with store.database.connect() as connection:
        stale = {
            day
            for step in steps or DERIVATIONS
            for day in builds.stale_days(connection, step.recorded, fingerprints(store, step), store.definition_version)
        }
    return sorted(stale)


def build(store: Store, step: Derivation, days: Iterable[date] = ()) -> Built:
    """Build the targets of a step again for these days, in the lake and, where published, in Postgres.

    Days are not looked at for a step that is built as a whole.
    """
    built = Built({target.name: {} for target in step.targets})
    with lock(store, step) as connection:
        for chunk in chunks(store, step, days):
            seen = fingerprints(store, step)
            sources, computed = compute(store, step, chunk)
            written = chunk if chunk is not None else _changed_days(store, step, computed.frames)
            for target in step.targets:
                frame = computed.frames[target.name]
                rows = frame.filter(pl.col("day").is_in(written)) if step.whole else frame
                _replace(store, connection, target, rows, written)
                built.rows[target.name] |= _rows(rows, written)
                if target.name in PUBLISHED:
                    built.previews[target.name] = frame
            _record(store, connection, step, chunk or [WHOLE], seen, sources, computed)
    return built


def chunks(store: Store, step: Derivation, days: Iterable[date]) -> Iterator[list[date] | None]:
    """Yield these days in groups of a bounded number of source rows; None, for all at once, for a whole step."""
    if step.whole:
        yield None
        return
    counts = [store.lake.row_counts(source) for source in step.sources]
    chunk: list[date] = []
    size = 0
    for day in sorted(days):
        rows = sum(count.get(day, 0) for count in counts)
        if chunk and size + rows > ROWS_AT_ONCE:
            yield chunk
            chunk, size = [], 0
        chunk.append(day)
        size += rows
    if chunk:
        yield chunk


def all_days(store: Store, step: Derivation) -> list[date]:
    """Return every day that the step's sources, bases or targets have rows of."""
    tables = (*step.sources, *step.bases, *step.targets)
    return sorted(set().union(*(store.lake.row_counts(table).keys() for table in tables)))


def compute(store: Store, step: Derivation, days: Sequence[date] | None) -> tuple[Frames, Computed]:
    """Return the source rows of these days (None for all at once), and what the step and its bases make of them."""
    sources = {source.name: store.lake.read(source, days=days) for source in step.sources}
    if not step.bases or days is None:
        return sources, step.compute(sources, store.settings)
    (name, source), *_ = sources.items()
    computed = step.compute({**sources, name: bases.remaining(store, step, source, days)}, store.settings)
    return sources, Computed(bases.added(store, step, computed.frames, days), computed.superseded)


def _replace(
    store: Store, connection: psycopg.Connection, target: Dataset, rows: pl.DataFrame, days: Sequence[date]
) -> None:
    store.lake.replace_days(target, rows, days)
    if target.name in PUBLISHED:
        publishing.publish(connection, target, rows, days)


def _record(
    store: Store,
    connection: psycopg.Connection,
    step: Derivation,
    days: Sequence[date],
    seen: Mapping[date, str],
    sources: Frames,
    computed: Computed,
) -> None:
    def by_day(frames: Iterable[pl.DataFrame]) -> dict[date, int]:
        counts = dict.fromkeys(days, 0)
        for frame in frames:
            rows = {WHOLE: frame.height} if step.whole else _rows(frame, days)
            counts = {day: count + rows[day] for day, count in counts.items()}
        return counts

    first, *others = (computed.frames[target.name] for target in step.targets)
    rows_in, rows_out = by_day(sources.values()), by_day([first])
    quarantined = by_day(
        frame for target, frame in zip(step.targets[1:], others, strict=True) if target.name.endswith("_quarantine")
    )
    for day in days:
        builds.record(
            connection,
            step.recorded,
            day,
            source_fingerprint=seen.get(day),
            definition_version=store.definition_version,
            built_at=store.settings.now(),
            rows_in=rows_in[day],
            rows_out=rows_out[day],
            rows_quarantined=quarantined[day],
            rows_superseded=computed.superseded.get(day, 0),
        )


def _changed_days(store: Store, step: Derivation, frames: Frames) -> list[date]:
    """Return the days on which a target holds other rows than those computed."""
    changed: set[date] = set()
    for target in step.targets:
        old, new = store.lake.scan(target).collect(), frames[target.name]
        for ours, theirs in ((old, new), (new, old)):
            lacking = ours.join(theirs, on=ours.columns, how="anti", nulls_equal=True)
            changed |= set(lacking["day"].unique())
    return sorted(changed)


@contextmanager
def lock(store: Store, step: Derivation) -> Iterator[psycopg.Connection]:
    """Hold the step's build lock: two builds of one day must not interleave reading and replacing."""
    dataset = step.recorded
    with store.database.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (_LOCK_CLASS, dataset.name))
        try:
            yield connection
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_LOCK_CLASS, dataset.name))


def _rows(frame: pl.DataFrame, days: Sequence[date]) -> dict[date, int]:
    counts = dict(frame.group_by("day").len().iter_rows())
    return {day: counts.get(day, 0) for day in days}
