"""Retention: rows go when their time after arrival is over; what they contributed to aggregates stays, frozen.

The order is what a crash cannot hurt: what is stale is built, what expires is added to the bases, only then raw and
Postgres are deleted from and the days built anew; the next run goes on wherever this one stopped. The policies are in
`warehouse.policies`, the bases in `warehouse.bases`.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from warehouse import bases, building, expiry, housekeeping, outbox, rewatching
from warehouse.datasets import CORE_SESSIONS, DATASETS, RAW_SESSIONS, Dataset
from warehouse.derivations import DERIVATIONS, PROGRESS_DAILY, SESSIONS, WATCHES, Derivation
from warehouse.lake import Query
from warehouse.policies import Cutoffs
from warehouse.store import Store


@dataclass
class Retained:
    """What expired, in rows by table, and the days of which aggregates were frozen."""

    rows: dict[str, int] = field(default_factory=dict)
    frozen: list[date] = field(default_factory=list)


def retain(store: Store, *, dry_run: bool = False, pause_s: float = expiry.PAUSE_S) -> Retained:
    """Delete what has expired everywhere, or with `dry_run` only count it.

    Raises psycopg errors, `deltalake.exceptions.DeltaError` and OSError; safe to repeat.
    """
    sessions, aggregates = (_cutoffs(store, kind) for kind in ("sessions", "aggregates"))
    done = Retained()
    _sessions(store, sessions, done, dry_run=dry_run)
    with store.database.connect() as connection:
        done.rows["sessions"] = (
            expiry.count_sessions(connection, sessions)
            if dry_run
            else expiry.delete_sessions(connection, sessions, store.settings.now().date(), pause_s=pause_s)
        )
    _aggregates(store, aggregates, done, dry_run=dry_run)
    _watches(store, done, dry_run=dry_run)
    if not dry_run:
        # Also where nothing has expired now: a crash may have kept the last run from it.
        for dataset in DATASETS.values():
            housekeeping.clear_away(store.lake, dataset)
    return done


def _cutoffs(store: Store, kind: str | None) -> Cutoffs:
    return Cutoffs.at(store.settings.retention, kind or "", store.settings.now())


def _sessions(store: Store, cutoffs: Cutoffs, done: Retained, *, dry_run: bool) -> None:
    counts = {dataset.name: _expired(store, dataset, cutoffs) for dataset in (RAW_SESSIONS, CORE_SESSIONS)}
    done.rows |= {name: sum(by_day.values()) for name, by_day in counts.items()}
    days = set().union(*counts.values())
    done.frozen = sorted(counts[CORE_SESSIONS.name])
    if dry_run or not days:
        return
    building.build(store, SESSIONS, days & set(building.stale_days(store, SESSIONS)))
    dependents = [step for step in DERIVATIONS if CORE_SESSIONS in step.sources]
    # Every aggregate is frozen from the same rows of core.
    with building.lock(store, SESSIONS):
        for step in dependents:
            if step.bases:
                _freeze(store, step, cutoffs)
    with store.database.connect() as connection:
        done.rows["quarantine"] = expiry.delete_quarantined(connection, _refused(store, cutoffs, days))
    store.lake.filter_days(RAW_SESSIONS, days, lambda rows: rows.filter(~bases.expired(rows, cutoffs)))
    for step in (SESSIONS, *dependents):
        building.build(store, step, days)


def _freeze(store: Store, step: Derivation, cutoffs: Cutoffs) -> None:
    with building.lock(store, step):
        days = list(_expired(store, CORE_SESSIONS, cutoffs))
        bases.freeze(store, step, days, cutoffs)


def _expired(store: Store, dataset: Dataset, cutoffs: Cutoffs) -> dict[date, int]:
    """Return the number of expired rows of each day that has any."""
    return dict(store.lake.read(dataset, _counted(cutoffs)).sort("day").iter_rows())


def _counted(cutoffs: Cutoffs) -> Query:
    return lambda rows: rows.filter(bases.expired(rows, cutoffs)).group_by("day").len()


def _refused(store: Store, cutoffs: Cutoffs, days: Collection[date]) -> list[str]:
    def wanted(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.filter(pl.col("refused").is_not_null(), bases.expired(rows, cutoffs)).select("ingest_id")

    return store.lake.read(RAW_SESSIONS, wanted, days=days)["ingest_id"].to_list()


def _aggregates(store: Store, cutoffs: Cutoffs, done: Retained, *, dry_run: bool) -> None:
    """Delete expired bases: a day's aggregates go when the last row that they still hold of it has expired."""
    old = cutoffs.expired(pl.col("last_received_at"), pl.lit(None, pl.String))
    for step in DERIVATIONS:
        for base in step.bases:
            counts = store.lake.read(base, lambda rows: rows.filter(old).group_by("day").len())
            done.rows[base.name] = int(counts["len"].sum())
            if not dry_run:
                store.lake.filter_days(base, counts["day"], lambda rows: rows.filter(~old))
        if step.bases and not dry_run:
            building.build(store, step, building.stale_days(store, step))


def _watches(store: Store, done: Retained, *, dry_run: bool) -> None:
    """Delete expired bodies of the tracker and answers of providers: raw goes last, for it says what is expired."""
    if not dry_run:
        with store.database.connect() as connection:
            outbox.seal(connection, store.lake)
    expired = {dataset.name: _old(store, dataset) for dataset in WATCHES.sources}
    days = {dataset.name: _days(store, dataset, expired[dataset.name]) for dataset in WATCHES.sources}
    done.rows |= {name: sum(counts.values()) for name, counts in days.items()}
    if dry_run or not any(days.values()):
        return
    gone = rewatching.watches(store, mend=True, keep=lambda dataset, raw: raw.filter(~expired[dataset.name]))
    done.rows |= {difference.table: difference.extra for difference in gone}
    for dataset in WATCHES.sources:
        _keep(store, dataset, days[dataset.name], ~expired[dataset.name])
    for step in (WATCHES, PROGRESS_DAILY):
        building.build(store, step)


def _keep(store: Store, dataset: Dataset, days: Collection[date], kept: pl.Expr) -> None:
    store.lake.filter_days(dataset, days, lambda rows: rows.filter(kept))


def _old(store: Store, dataset: Dataset) -> pl.Expr:
    return _cutoffs(store, dataset.retention).expired(pl.col("received_at"), pl.lit(None, pl.String))


def _days(store: Store, dataset: Dataset, expired: pl.Expr) -> dict[date, int]:
    return dict(store.lake.read(dataset, lambda rows: rows.filter(expired).group_by("day").len()).iter_rows())
