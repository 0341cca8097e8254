"""From stale days to the runs that mend them: shared by the sensor, the schedule and `playhead refresh`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import dagster as dg

from pipelines.assets.metadata import raw_materialization
from pipelines.partitions import contiguous
from warehouse import building
from warehouse.datasets import RAW_SESSIONS
from warehouse.store import Store


@dataclass(frozen=True)
class StaleRange:
    """An unbroken run of stale days, and a key that changes with what is in them."""

    first: date
    last: date
    key: str


def stale_ranges(store: Store) -> Iterator[StaleRange]:
    """Yield exactly the stale days as ranges, one run each."""
    fingerprints = store.lake.fingerprints(RAW_SESSIONS)
    stale = building.stale_days(store)
    for first, last in contiguous(stale):
        seen = [store.definition_version]
        seen += [f"{day}:{fingerprints.get(day)}" for day in stale if first <= day <= last]
        digest = hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]
        yield StaleRange(first, last, f"{first}:{last}:{digest}")


def report_landed(instance: dg.DagsterInstance, store: Store) -> None:
    """Tell Dagster which days of raw hold rows that were not built yet: the endpoint lands outside of Dagster."""
    rows = store.lake.row_counts(RAW_SESSIONS)
    fingerprints = store.lake.fingerprints(RAW_SESSIONS)
    for day in building.stale_days(store):
        instance.report_runless_asset_event(raw_materialization(RAW_SESSIONS, day, rows, fingerprints.get(day)))
