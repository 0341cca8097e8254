"""From what is stale to the runs that mend it: shared by the sensor, the schedule and `playhead refresh`."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import dagster as dg

from pipelines.assets.metadata import raw_materialization
from pipelines.jobs import refresh_jobs
from pipelines.partitions import contiguous, range_tags
from warehouse import building
from warehouse.datasets import Dataset
from warehouse.derivations import DERIVATIONS, FAMILIES, steps_of
from warehouse.store import Store

MOST_BRIDGED = timedelta(days=366)


@dataclass(frozen=True)
class StaleRange:
    """An unbroken run of a family's stale days (`building.WHOLE` for tables built as a whole).

    The key changes with what is in them.
    """

    family: str
    first: date
    last: date
    key: str

    def __str__(self) -> str:
        """Name the family and its days, as they stand in progress and results."""
        return self.family if self.first == building.WHOLE else f"{self.family} of {self.first} to {self.last}"

    @property
    def tags(self) -> dict[str, str]:
        """The run tags that ask for these days."""
        return {} if self.first == building.WHOLE else range_tags(self.first, self.last)

    def request(self, prefix: str = "") -> dg.RunRequest:
        """Return the request for the run that mends it; the same content is asked for once by one prefix."""
        return dg.RunRequest(run_key=f"{prefix}{self.key}", job_name=refresh_jobs[self.family].name, tags=self.tags)


def stale_ranges(store: Store, *families: str) -> Iterator[StaleRange]:
    """Yield exactly the stale days of these families (all by default) as ranges, one run each."""
    for family in families or FAMILIES:
        steps = steps_of(family)
        stale = building.stale_days(store, *steps)
        seen = [building.fingerprints(store, step) for step in steps] if stale else []
        for first, last in contiguous(stale):
            parts = [store.definition_version]
            parts += [f"{day}:{[days.get(day) for days in seen]}" for day in stale if first <= day <= last]
            digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
            yield StaleRange(family, first, last, f"{family}:{first}:{last}:{digest}")


def bridged(store: Store, ranges: Sequence[StaleRange]) -> Iterator[StaleRange]:
    """Yield ranges that also join those of a family between which nothing is stored, in order.

    A run takes longer than many empty days: sparse history would else take a run for each of its days.
    """
    for family, apart in itertools.groupby(ranges, key=lambda stale: stale.family):
        joined, *others = apart
        stored = [day for step in steps_of(family) for day in building.all_days(store, step)] if others else []
        for stale in others:
            near = stale.first - joined.last <= MOST_BRIDGED
            if near and not any(joined.last < day < stale.first for day in stored):
                joined = replace(joined, last=stale.last, key=f"{joined.key} {stale.key}")
            else:
                yield joined
                joined = stale
        yield joined


def raw_datasets() -> tuple[Dataset, ...]:
    """Return the tables that are landed, not derived."""
    made = {target.name for step in DERIVATIONS for target in step.targets}
    sources = {source.name: source for step in DERIVATIONS for source in step.sources}
    return tuple(source for name, source in sources.items() if name not in made)


def report_landed(instance: dg.DagsterInstance, store: Store) -> None:
    """Tell Dagster which days of raw hold rows that were not built yet: the endpoint lands outside of Dagster."""
    for dataset in raw_datasets():
        readers = [step for step in DERIVATIONS if dataset in step.sources]
        rows = store.lake.row_counts(dataset)
        fingerprints = store.lake.fingerprints(dataset)
        stale = set(building.stale_days(store, *readers))
        for day in sorted(rows.keys() if building.WHOLE in stale else stale):
            instance.report_runless_asset_event(raw_materialization(dataset, day, rows, fingerprints.get(day)))
