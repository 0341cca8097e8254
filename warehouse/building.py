"""Builds of derived partitions: read a day's source, compute, replace, record. Knows no scheduler.

A build is recorded with the fingerprint of the source it saw, taken before the source is read: what lands meanwhile
makes the partition stale again instead of being missed. What the numbers mean is in `warehouse.metrics`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import polars as pl
import psycopg

from warehouse import builds, publishing
from warehouse.datasets import (
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    RAW_SESSIONS,
    Dataset,
)
from warehouse.metrics import histogram, qoe, sessions
from warehouse.store import Store

ROWS_AT_ONCE = 1_000_000
"""Source rows that one commit may cover: bounds memory however many days a run spans."""

_SOURCES = ((CORE_SESSIONS, RAW_SESSIONS), (OUT_QOE_DAILY, CORE_SESSIONS))
"""What each derived table is built from."""

_LOCK_CLASS = 0x504C4159


@dataclass(frozen=True)
class Built:
    """What a build wrote: rows of each dataset by day, and the last frames for a preview."""

    rows: Mapping[str, Mapping[date, int]]
    previews: Mapping[str, pl.DataFrame]


def stale_days(store: Store, *targets: Dataset) -> list[date]:
    """Return, in order, the days that one of these tables (all by default) must be rebuilt for.

    Such a day was built from another source than the present one, or by other definitions.
    """
    wanted = [(target, source) for target, source in _SOURCES if not targets or target in targets]
    with store.database.connect() as connection:
        stale = {
            day
            for target, source in wanted
            for day in builds.stale_days(connection, target, store.lake.fingerprints(source), store.definition_version)
        }
    return sorted(stale)


def build_core_sessions(store: Store, days: Iterable[date]) -> Built:
    """Rebuild `core_sessions` and its quarantine for these days from `raw_sessions`."""
    written: dict[str, dict[date, int]] = {CORE_SESSIONS.name: {}, CORE_SESSIONS_QUARANTINE.name: {}}
    with _building(store, CORE_SESSIONS) as connection:
        for chunk in _chunks(store, RAW_SESSIONS, days):
            fingerprints = store.lake.fingerprints(RAW_SESSIONS)
            raw = store.lake.scan(RAW_SESSIONS, days=chunk).collect()
            result = sessions.build_core(raw, store.settings.dimensions)
            store.lake.replace_days(CORE_SESSIONS, result.core, chunk)
            store.lake.replace_days(CORE_SESSIONS_QUARANTINE, result.quarantine, chunk)
            rows_in, rows_out = _rows(raw, chunk), _rows(result.core, chunk)
            quarantined = _rows(result.quarantine, chunk)
            for day in chunk:
                builds.record(
                    connection,
                    CORE_SESSIONS,
                    day,
                    source_fingerprint=fingerprints.get(day),
                    definition_version=store.definition_version,
                    built_at=store.settings.now(),
                    rows_in=rows_in[day],
                    rows_out=rows_out[day],
                    rows_quarantined=quarantined[day],
                    rows_superseded=result.superseded.get(day, 0),
                )
            written[CORE_SESSIONS.name] |= rows_out
            written[CORE_SESSIONS_QUARANTINE.name] |= quarantined
    return Built(written, {})


def build_qoe_daily(store: Store, days: Iterable[date]) -> Built:
    """Rebuild the daily QoE sums and histograms for these days from `core_sessions`, in the lake and in Postgres."""
    aggregates = ((OUT_QOE_DAILY, qoe.aggregate), (OUT_QOE_HISTOGRAM_DAILY, histogram.aggregate))
    written: dict[str, dict[date, int]] = {dataset.name: {} for dataset, _ in aggregates}
    previews: dict[str, pl.DataFrame] = {}
    with _building(store, OUT_QOE_DAILY) as connection:
        for chunk in _chunks(store, CORE_SESSIONS, days):
            fingerprints = store.lake.fingerprints(CORE_SESSIONS)
            core = store.lake.scan(CORE_SESSIONS, days=chunk).collect()
            rows_in = _rows(core, chunk)
            for dataset, aggregate in aggregates:
                frame = aggregate(core, store.settings.dimensions)
                store.lake.replace_days(dataset, frame, chunk)
                publishing.publish(connection, dataset, frame, chunk)
                written[dataset.name] |= _rows(frame, chunk)
                previews[dataset.name] = frame
            for day in chunk:
                builds.record(
                    connection,
                    OUT_QOE_DAILY,
                    day,
                    source_fingerprint=fingerprints.get(day),
                    definition_version=store.definition_version,
                    built_at=store.settings.now(),
                    rows_in=rows_in[day],
                    rows_out=written[OUT_QOE_DAILY.name][day],
                )
    return Built(written, previews)


@contextmanager
def _building(store: Store, dataset: Dataset) -> Iterator[psycopg.Connection]:
    """Hold the dataset's build lock: two builds of one day must not interleave reading and replacing."""
    with store.database.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (_LOCK_CLASS, dataset.name))
        try:
            yield connection
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_LOCK_CLASS, dataset.name))


def _chunks(store: Store, source: Dataset, days: Iterable[date]) -> Iterator[Sequence[date]]:
    counts = store.lake.row_counts(source)
    chunk: list[date] = []
    size = 0
    for day in sorted(days):
        if chunk and size + counts.get(day, 0) > ROWS_AT_ONCE:
            yield chunk
            chunk, size = [], 0
        chunk.append(day)
        size += counts.get(day, 0)
    if chunk:
        yield chunk


def _rows(frame: pl.DataFrame, days: Sequence[date]) -> dict[date, int]:
    return dict.fromkeys(days, 0) | dict(frame.group_by("day").len().iter_rows())
