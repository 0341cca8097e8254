"""Which table is derived from which, and by what: described once, for builds, staleness, jobs, rebuild and checks.

What a computation means is in `warehouse.metrics`; reading, replacing and recording are in `warehouse.building`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import psycopg

from warehouse import watchers
from warehouse.datasets import (
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_DAILY_BASE,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_DAILY_BASE,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HISTOGRAM_HOURLY_BASE,
    OUT_QOE_HOURLY,
    OUT_QOE_HOURLY_BASE,
    RAW_SESSIONS,
    Dataset,
)
from warehouse.metrics import histogram, progress_daily, qoe, sessions, watch_descriptions, watches
from warehouse.providers import described
from warehouse.settings import StorageSettings
from warehouse.watch_datasets import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES

Frames = Mapping[str, pl.DataFrame]
"""Rows by the name of their dataset."""

CONTROL = "control"
"""The name of the rows that a derivation reads beside its sources."""


Aggregate = Callable[[Any, Mapping[str, str], Dataset], Any]
"""From source rows of any engine, unread, the configured dimensions and a target to the target's rows."""


@dataclass(frozen=True)
class Computed:
    """What a computation made: the rows of every target, and how many source rows of each day newer ones replaced."""

    frames: Frames
    superseded: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Derivation:
    """One step from source tables to derived ones.

    `compute` gets the source rows of some whole days and returns the targets' rows of the same days. With `whole` it
    gets all days at once, for a source row may shape any day; only target days whose rows differ are replaced then.
    Steps of one `family` are refreshed by one job.

    `control` reads what users set and no raw row tells; `compute` finds it as `CONTROL`, and a change of it makes every
    day stale. A step of one source may have `aggregates` in place of `compute`, one for each target, which any engine
    can compute. These may have `bases`, one a target: what expired source rows contributed is kept there and added.
    """

    family: str
    sources: tuple[Dataset, ...]
    targets: tuple[Dataset, ...]
    compute: Callable[[Frames, StorageSettings], Computed] | None = None
    whole: bool = False
    aggregates: tuple[Aggregate, ...] = ()
    bases: tuple[Dataset, ...] = ()
    control: Callable[[psycopg.Connection, StorageSettings], pl.DataFrame] | None = None

    @property
    def recorded(self) -> Dataset:
        """The target under which builds are recorded."""
        return self.targets[0]


def _core_sessions(sources: Frames, settings: StorageSettings) -> Computed:
    built = sessions.build_core(sources[RAW_SESSIONS.name], settings.dimensions)
    return Computed({CORE_SESSIONS.name: built.core, CORE_SESSIONS_QUARANTINE.name: built.quarantine}, built.superseded)


def _zones(connection: psycopg.Connection, settings: StorageSettings) -> pl.DataFrame:
    return watchers.zones(connection, settings.time_zone)


def _core_watches(sources: Frames, _settings: StorageSettings) -> Computed:
    metadata = watch_descriptions.newest(described.metadata(sources[RAW_METADATA.name]))
    found = watch_descriptions.core(sources[RAW_WATCHES.name], metadata)
    *own, (_, _, default) = sources[CONTROL].iter_rows()
    zones = {(tenant, user_id): zone for tenant, user_id, zone in own}
    return Computed({CORE_WATCHES.name: watches.place(found, zones, default)})


def _progress_daily(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({OUT_PROGRESS_DAILY.name: progress_daily.aggregate(sources[CORE_WATCHES.name])})


SESSIONS = Derivation("qoe", (RAW_SESSIONS,), (CORE_SESSIONS, CORE_SESSIONS_QUARANTINE), _core_sessions)
QOE_DAILY = Derivation(
    "qoe",
    (CORE_SESSIONS,),
    (OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY),
    aggregates=(partial(qoe.aggregate, in_order=True), histogram.aggregate),
    bases=(OUT_QOE_DAILY_BASE, OUT_QOE_HISTOGRAM_DAILY_BASE),
)
QOE_HOURLY = replace(
    QOE_DAILY,
    targets=(OUT_QOE_HOURLY, OUT_QOE_HISTOGRAM_HOURLY),
    bases=(OUT_QOE_HOURLY_BASE, OUT_QOE_HISTOGRAM_HOURLY_BASE),
)
WATCHES = Derivation(
    "progress", (RAW_WATCHES, RAW_METADATA), (CORE_WATCHES,), _core_watches, whole=True, control=_zones
)
PROGRESS_DAILY = Derivation("progress", (CORE_WATCHES,), (OUT_PROGRESS_DAILY,), _progress_daily, whole=True)

DERIVATIONS = (SESSIONS, QOE_DAILY, QOE_HOURLY, WATCHES, PROGRESS_DAILY)
"""Every step, sources before what is derived from them."""

FAMILIES = tuple(dict.fromkeys(step.family for step in DERIVATIONS))


def steps_of(family: str) -> tuple[Derivation, ...]:
    """Return the steps of a family, in order."""
    return tuple(step for step in DERIVATIONS if step.family == family)
