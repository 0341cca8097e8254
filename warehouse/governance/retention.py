"""Retention: rows go when their time after arrival is over; what they contributed to aggregates stays, frozen.

The order is what a crash cannot hurt: what expires is put into the bases, then Postgres and raw are deleted from, and
what is stale is built; the next run goes on wherever this one stopped. The policies are in `warehouse.policies`, the
bases in `warehouse.building.bases`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from warehouse import building
from warehouse.building import bases
from warehouse.datasets import DATASETS, OUT_QOE_HOURLY, RAW_SESSIONS, Dataset
from warehouse.datasets.cmcd import RAW_CMCD
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.live import RAW_CHAT, RAW_STREAMS, RAW_VIEWERS
from warehouse.derivations import DERIVATIONS, PROGRESS_DAILY, WATCHES, Derivation, producers, roots
from warehouse.governance import expiry, housekeeping, replaying, rewatching
from warehouse.landing import outbox
from warehouse.policies import Cutoffs, Limits
from warehouse.store import Store

LANDED = (RAW_SESSIONS, RAW_EVENTS, RAW_CMCD, RAW_CHAT, RAW_VIEWERS, RAW_STREAMS)
"""The raw tables that the journal is sealed into."""

_STEPS = tuple(step for step in DERIVATIONS if any(table in LANDED for table in roots(step)))

_Days = Mapping[str, Mapping[date, int]]


@dataclass
class Retained:
    """What expired, in rows by table, the days of which aggregates were frozen, and how many days were built anew."""

    rows: dict[str, int] = field(default_factory=dict)
    frozen: list[date] = field(default_factory=list)
    built: int = 0


def retain(store: Store, *, dry_run: bool = False, pause_s: float = expiry.PAUSE_S) -> Retained:
    """Delete what has expired everywhere, or with `dry_run` only count it.

    Raises psycopg errors, `deltalake.exceptions.DeltaError` and OSError; safe to repeat.
    """
    limits = Limits.at(store.settings.retention, store.settings.now())
    done = Retained()
    days = {table.name: _expired(store, table, limits) for table in LANDED}
    done.rows |= {name: sum(counts.values()) for name, counts in days.items()}
    if dry_run:
        done.rows |= _count_postgres(store, limits)
        done.frozen = sorted({day for step in _STEPS for day in _frozen_days(store, step, days)})
    else:
        done.frozen = _freeze(store, limits, days)
        done.rows |= _delete_postgres(store, limits, days, pause_s)
        for table in LANDED:
            _keep(store, table, days[table.name], ~limits.expired(table))
        done.built = sum(_build(store, step) for step in _STEPS)
    _aggregates(store, limits.kinds["aggregates"], done, dry_run=dry_run)
    _watches(store, limits, done, dry_run=dry_run)
    if not dry_run:
        # Also where nothing has expired now: a crash may have kept the last run from it.
        for dataset in DATASETS.values():
            housekeeping.clear_away(store.lake, dataset)
    return done


def _expired(store: Store, table: Dataset, limits: Limits) -> dict[date, int]:
    """Return the number of expired rows of each day that has any."""
    expired = limits.expired(table)
    return dict(store.lake.read(table, lambda rows: rows.filter(expired).group_by("day").len()).iter_rows())


def _frozen_days(store: Store, step: Derivation, days: _Days) -> list[date]:
    """Return the days of a step's bases that lose source rows, and those of which it looks back on such."""
    if not step.bases:
        return []
    losing = {day for table in roots(step) for day in days[table.name]}
    later = {day + timedelta(days=n) for day in losing for n in range(1, step.days_before + 1)}
    held = {day for target, _ in step.based for day in store.lake.row_counts(target)}
    return sorted(losing | (later & held))


def _freeze(store: Store, limits: Limits, days: _Days) -> list[date]:
    frozen: set[date] = set()
    for step in _STEPS:
        going = _frozen_days(store, step, days)
        if not going:
            continue
        if step.late is not None:
            # What does not add up is kept as it is, so it must be fresh.
            for maker in (*producers(step), step):
                building.build(store, maker, set(going) & set(building.stale_days(store, maker)))
        for chunk in building.chunks(store.lake, roots(step), going):
            with building.lock(store, step):
                bases.freeze(store, step, chunk, limits)
        frozen |= set(going)
    return sorted(frozen)


def _build(store: Store, step: Derivation) -> int:
    stale = building.stale_days(store, step)
    if stale:
        building.build(store, step, stale)
    return len(stale)


def _count_postgres(store: Store, limits: Limits) -> dict[str, int]:
    with store.database.connect() as connection:
        rows = {"sessions": expiry.count_sessions(connection, limits.kinds["sessions"])}
        for table, (kind, _) in expiry.ARRIVED.items():
            rows[table] = expiry.count_landed(connection, table, limits.kinds[kind])
    return rows


def _delete_postgres(store: Store, limits: Limits, days: _Days, pause_s: float) -> dict[str, int]:
    with store.database.connect() as connection:
        today, cutoffs = store.settings.now().date(), limits.kinds["sessions"]
        rows = {"sessions": expiry.delete_sessions(connection, cutoffs, today, pause_s=pause_s)}
        for table, (kind, _) in expiry.ARRIVED.items():
            rows[table] = expiry.delete_landed(connection, table, limits.kinds[kind], pause_s=pause_s)
        expiry.renew_streams(connection, limits.kinds["streams"])
        refused = [ingest_id for table in LANDED for ingest_id in _refused(store, table, limits, days[table.name])]
        rows["quarantine"] = expiry.delete_quarantined(connection, refused)
        for replay in replaying.REPLAYS:
            expired, going = limits.expired(replay.raw), days[replay.raw.name]
            replaying.restore(store, connection, replay, going, expired)
    return rows


def _refused(store: Store, table: Dataset, limits: Limits, days: Collection[date]) -> list[str]:
    wanted = pl.col("refused").is_not_null() & limits.expired(table)
    return store.lake.read(table, lambda rows: rows.filter(wanted).select("ingest_id"), days=days)[
        "ingest_id"
    ].to_list()


def _aggregates(store: Store, cutoffs: Cutoffs, done: Retained, *, dry_run: bool) -> None:
    """Delete expired bases, and incidents: they go when the last row that they still tell of has expired."""
    old = cutoffs.expired(pl.col("last_received_at"), pl.lit(None, pl.String))
    for step in DERIVATIONS:
        for base in step.bases:
            counts = store.lake.read(base, lambda rows: rows.filter(old).group_by("day").len())
            done.rows[base.name] = int(counts["len"].sum())
            if not dry_run:
                _keep(store, base, counts["day"].to_list(), ~old)
        if step.bases and not dry_run:
            _build(store, step)
    if not dry_run:
        with store.database.connect() as connection:
            held = store.lake.row_counts(OUT_QOE_HOURLY)
            done.rows["incidents"] = expiry.delete_incidents(connection, cutoffs, held.keys())


def _watches(store: Store, limits: Limits, done: Retained, *, dry_run: bool) -> None:
    """Delete expired bodies of the tracker and answers of providers: raw goes last, for it says what is expired."""
    if not dry_run:
        with store.database.connect() as connection:
            outbox.seal(connection, store.lake)
    days = {dataset.name: _expired(store, dataset, limits) for dataset in WATCHES.sources}
    done.rows |= {name: sum(counts.values()) for name, counts in days.items()}
    if dry_run:
        return
    if any(days.values()):
        gone = rewatching.watches(store, mend=True, keep=lambda dataset, raw: raw.filter(~limits.expired(dataset)))
        done.rows |= {difference.table: difference.extra for difference in gone}
        for dataset in WATCHES.sources:
            _keep(store, dataset, days[dataset.name], ~limits.expired(dataset))
    done.built += sum(_build(store, step) for step in (WATCHES, PROGRESS_DAILY))


def _keep(store: Store, dataset: Dataset, days: Collection[date], kept: pl.Expr) -> None:
    store.lake.filter_days(dataset, days, lambda rows: rows.filter(kept))
