"""Builds of derived tables: read the sources, compute, replace, record. Knows no scheduler.

A build is recorded with the fingerprint of the sources it saw, taken before they are read: what lands meanwhile makes
the partition stale again instead of being missed. What is derived from what is in `warehouse.derivations`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import polars as pl
import psycopg

from warehouse.building import bases, builds, publishing
from warehouse.building.build_records import WHOLE as WHOLE
from warehouse.building.build_records import record, rows_by_day
from warehouse.datasets import Dataset
from warehouse.derivations import CONTROL, DERIVATIONS, Computed, Derivation, Frames
from warehouse.engines import Engine
from warehouse.lake import Lake, again
from warehouse.store import Store
from warehouse.tables import PUBLISHED

ROWS_AT_ONCE = 1_000_000
"""Source rows that one commit may cover: bounds memory however many days a run spans."""

_LOCK_CLASS = 0x504C4159


@dataclass
class Built:
    """What a build wrote: rows of each dataset by day, and frames for a preview of those that identify nobody."""

    rows: dict[str, dict[date, int]] = field(default_factory=dict)
    previews: dict[str, pl.DataFrame] = field(default_factory=dict)


def fingerprints(store: Store, step: Derivation) -> dict[date, str]:
    """Return what identifies the rows of a step's sources, by day; of a whole step all days under `WHOLE`."""
    with store.database.connect() as connection:
        return _fingerprints(store, connection, step)


def _fingerprints(store: Store, connection: psycopg.Connection, step: Derivation) -> dict[date, str]:
    control = [] if step.control is None else [step.control(connection, store.settings).write_json()]
    seen: dict[date, list[str]] = {}
    for source in (*step.sources, *step.bases):
        for day, fingerprint in store.lake.fingerprints(source).items():
            seen.setdefault(WHOLE if step.whole else day, []).append(f"{source.name}:{day}:{fingerprint}")
    own = {day: list(parts) for day, parts in seen.items()}
    for day, parts in seen.items():
        for before in range(1, step.days_before + 1):
            parts += own.get(day - timedelta(days=before), [])
    return {
        day: hashlib.sha256("\n".join(parts + control).encode()).hexdigest()[:32] for day, parts in sorted(seen.items())
    }


def stale_days(store: Store, *steps: Derivation) -> list[date]:
    """Return, in order, the days that one of these steps (all by default) must be built again for.

    Such a day was built from other sources than the present ones, or by other definitions. `WHOLE` stands for a table
    that is built as a whole.
    """
    stale: set[date] = set()
    with store.database.connect() as connection:
        for step in steps or DERIVATIONS:
            seen = _fingerprints(store, connection, step)
            stale |= set(builds.stale_days(connection, step.recorded, seen, store.definition_version))
            # What makes a day stale also makes those stale that look back on it, once it is built.
            after = range(1, step.days_before + 1)
            stale |= {day + timedelta(days=n) for day in stale - {WHOLE} for n in after} & seen.keys()
    return sorted(stale)


def build(store: Store, step: Derivation, days: Iterable[date] = ()) -> Built:
    """Build the targets of a step again for these days, in the lake and, where published, in Postgres.

    Days are not looked at for a step that is built as a whole.
    """
    built = Built({target.name: {} for target in step.targets})
    with lock(store, step) as connection:
        for chunk in portions(store, step, days):
            seen = _fingerprints(store, connection, step)
            rows_in = _rows_in(store, step, chunk)
            computed = compute(store, connection, step, chunk)
            written = chunk if chunk is not None else _changed_days(store, connection, step, computed.frames)
            for target in step.targets:
                frame = computed.frames[target.name]
                rows = frame.filter(pl.col("day").is_in(written)) if step.whole else frame
                _replace(store, connection, target, rows, written)
                built.rows[target.name] |= rows_by_day(rows, written)
                if target.name in PUBLISHED and not target.identifying:
                    built.previews[target.name] = frame
            record(store, connection, step, chunk or [WHOLE], seen, rows_in, computed)
    return built


def aggregates(engine: Engine, lake: Lake, step: Derivation, days: Sequence[date]) -> dict[str, pl.DataFrame]:
    """Return the rows of a step's targets on these days, computed by the engine from what the lake holds."""
    rows = engine.scan(lake, step.sources[0], days)
    return step.aggregated(engine, rows, lake.dimensions)


def portions(store: Store, step: Derivation, days: Iterable[date]) -> Iterable[list[date] | None]:
    """Return the days in the groups that are built at once: None, for all, of a step that is built as a whole."""
    return [None] if step.whole else chunks(store.lake, step.sources, days)


def chunks(lake: Lake, sources: Sequence[Dataset], days: Iterable[date]) -> Iterator[list[date]]:
    """Yield the days in groups of at most `ROWS_AT_ONCE` source rows, or of one day."""
    counts = [lake.row_counts(source) for source in sources]
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


def compute(store: Store, connection: psycopg.Connection, step: Derivation, days: Sequence[date] | None) -> Computed:
    """Return what a step and its bases make of the sources' present rows of these days, None for all at once."""
    if step.compute is None:
        return Computed(_aggregated(store, step, days or []))
    read = days and {day - timedelta(days=before) for day in days for before in range(step.days_before + 1)}
    sources = {source.name: store.lake.read(source, days=read) for source in step.sources}
    control = {} if step.control is None else {CONTROL: step.control(connection, store.settings)}
    computed = step.compute(sources | control, store.settings)
    if days is None:
        return computed
    frames = computed.frames
    if step.days_before:
        frames = {name: frame.filter(pl.col("day").is_in(days)) for name, frame in frames.items()}
    return replace(computed, frames=bases.merged(store, step, frames, days))


def _aggregated(store: Store, step: Derivation, days: Sequence[date]) -> Frames:
    """Return what the engine makes of days, and on this machine, for little is left of them, of those with bases."""
    frozen = bases.frozen(store, step, days)
    others = [day for day in days if day not in frozen]
    parts: list[Frames] = [again(lambda: aggregates(store.engine, store.lake, step, others))] if others else []
    if frozen:
        parts.append(bases.added(store, step, frozen))
    return {target.name: pl.concat([part[target.name] for part in parts]) for target in step.targets}


def _rows_in(store: Store, step: Derivation, days: Sequence[date] | None) -> dict[date, int]:
    counts = [store.lake.row_counts(source) for source in step.sources]
    if days is None:
        return {WHOLE: sum(sum(count.values()) for count in counts)}
    rows = {day: sum(count.get(day, 0) for count in counts) for day in days}
    if step.aggregates:
        store.engine.check(rows)
    return rows


def _replace(
    store: Store, connection: psycopg.Connection, target: Dataset, rows: pl.DataFrame, days: Sequence[date]
) -> None:
    if target.name not in PUBLISHED:
        store.lake.replace_days(target, rows, days)
        return
    before = store.lake.snapshot(target, days)
    fingerprints = store.lake.replace_days(target, rows, days)
    publishing.publish(connection, target, rows, days, fingerprints=fingerprints, before=before)


def _changed_days(store: Store, connection: psycopg.Connection, step: Derivation, frames: Frames) -> list[date]:
    """Return the days on which a target holds other rows than those computed, in the lake or in Postgres."""
    changed: set[date] = set()
    for target in step.targets:
        (old, fingerprints), new = store.lake.snapshot(target), frames[target.name]
        for ours, theirs in ((old, new), (new, old)):
            lacking = ours.join(theirs, on=ours.columns, how="anti", nulls_equal=True)
            changed |= set(lacking["day"].unique())
        if target.name in PUBLISHED:
            published = publishing.published(connection, target)
            changed |= {day for day in fingerprints if published.get(day) != fingerprints[day]}
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
