"""Which table is derived from which, and by what: described once, for builds, staleness, jobs, rebuild and checks.

What a computation means is in `warehouse.metrics`; reading, replacing and recording are in `warehouse.building`.
"""

from dataclasses import replace
from functools import partial

import polars as pl
import psycopg

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
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES
from warehouse.derivations.derivation import CONTROL as CONTROL
from warehouse.derivations.derivation import Aggregate as Aggregate
from warehouse.derivations.derivation import Computed as Computed
from warehouse.derivations.derivation import Derivation as Derivation
from warehouse.derivations.derivation import Frames as Frames
from warehouse.derivations.derivation import Late as Late
from warehouse.derivations.live import LIVE
from warehouse.metrics import (
    events,
    histogram,
    progress_daily,
    qoe,
    sessions,
    watch_descriptions,
    watches,
    watching,
)
from warehouse.providers import described
from warehouse.settings import StorageSettings
from warehouse.watches import watchers


def _core_sessions(sources: Frames, settings: StorageSettings) -> Computed:
    built = sessions.build_core(sources[RAW_SESSIONS.name], settings.dimensions)
    core, told = built.core, sources[RAW_EVENTS.name]
    if not told.is_empty():
        core = watching.merge(core, watching.build_sessions(events.build_core(told)))
    return Computed({CORE_SESSIONS.name: core, CORE_SESSIONS_QUARANTINE.name: built.quarantine}, built.superseded)


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


SESSIONS = Derivation("qoe", (RAW_SESSIONS, RAW_EVENTS), (CORE_SESSIONS, CORE_SESSIONS_QUARANTINE), _core_sessions)
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

DERIVATIONS = (SESSIONS, QOE_DAILY, QOE_HOURLY, WATCHES, PROGRESS_DAILY, *LIVE)
"""Every step, sources before what is derived from them."""

FAMILIES = tuple(dict.fromkeys(step.family for step in DERIVATIONS))


def steps_of(family: str) -> tuple[Derivation, ...]:
    """Return the steps of a family, in order."""
    return tuple(step for step in DERIVATIONS if step.family == family)


def producers(step: Derivation) -> tuple[Derivation, ...]:
    """Return the steps that the sources of a step are made by."""
    return tuple(maker for maker in DERIVATIONS if any(target in step.sources for target in maker.targets))


def roots(step: Derivation) -> tuple[Dataset, ...]:
    """Return the raw tables that a step is made from, by way of others or at once."""
    makers = producers(step)
    return tuple(table for maker in makers for table in roots(maker)) if makers else step.sources
