"""Which table is derived from which, and by what: described once, for builds, staleness, jobs, rebuild and checks.

What a computation means is in `warehouse.metrics`; reading, replacing and recording are in `warehouse.building`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from warehouse.datasets import (
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HOURLY,
    RAW_SESSIONS,
    Dataset,
)
from warehouse.metrics import histogram, qoe, sessions
from warehouse.settings import StorageSettings

Frames = Mapping[str, pl.DataFrame]
"""Rows by the name of their dataset."""


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

    A step of one source may have `aggregates` instead, one for each target, which any engine can compute.
    """

    family: str
    sources: tuple[Dataset, ...]
    targets: tuple[Dataset, ...]
    compute: Callable[[Frames, StorageSettings], Computed] | None = None
    whole: bool = False
    aggregates: tuple[Aggregate, ...] = ()

    @property
    def recorded(self) -> Dataset:
        """The target under which builds are recorded."""
        return self.targets[0]


def _core_sessions(sources: Frames, settings: StorageSettings) -> Computed:
    built = sessions.build_core(sources[RAW_SESSIONS.name], settings.dimensions)
    return Computed({CORE_SESSIONS.name: built.core, CORE_SESSIONS_QUARANTINE.name: built.quarantine}, built.superseded)


SESSIONS = Derivation("qoe", (RAW_SESSIONS,), (CORE_SESSIONS, CORE_SESSIONS_QUARANTINE), _core_sessions)
QOE_DAILY = Derivation(
    "qoe",
    (CORE_SESSIONS,),
    (OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY),
    aggregates=(qoe.aggregate, histogram.aggregate),
)
QOE_HOURLY = replace(QOE_DAILY, targets=(OUT_QOE_HOURLY, OUT_QOE_HISTOGRAM_HOURLY))

DERIVATIONS = (SESSIONS, QOE_DAILY, QOE_HOURLY)
"""Every step, sources before what is derived from them."""

FAMILIES = tuple(dict.fromkeys(step.family for step in DERIVATIONS))


def steps_of(family: str) -> tuple[Derivation, ...]:
    """Return the steps of a family, in order."""
    return tuple(step for step in DERIVATIONS if step.family == family)
