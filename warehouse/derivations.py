"""Which table is derived from which, and by what: described once, for builds, staleness, jobs, rebuild and checks.

What a computation means is in `warehouse.metrics`; reading, replacing and recording are in `warehouse.building`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from warehouse.datasets import (
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_DAILY_BASE,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_DAILY_BASE,
    RAW_SESSIONS,
    Dataset,
)
from warehouse.metrics import histogram, qoe, sessions
from warehouse.settings import StorageSettings

Frames = Mapping[str, pl.DataFrame]
"""Rows by the name of their dataset."""


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
    Steps of one `family` are refreshed by one job. With `bases`, one a target, the targets add up: what expired source
    rows contributed is kept there and added.
    """

    family: str
    sources: tuple[Dataset, ...]
    targets: tuple[Dataset, ...]
    compute: Callable[[Frames, StorageSettings], Computed]
    whole: bool = False
    bases: tuple[Dataset, ...] = ()

    @property
    def recorded(self) -> Dataset:
        """The target under which builds are recorded."""
        return self.targets[0]


def _core_sessions(sources: Frames, settings: StorageSettings) -> Computed:
    built = sessions.build_core(sources[RAW_SESSIONS.name], settings.dimensions)
    return Computed({CORE_SESSIONS.name: built.core, CORE_SESSIONS_QUARANTINE.name: built.quarantine}, built.superseded)


def _qoe_daily(sources: Frames, settings: StorageSettings) -> Computed:
    core = sources[CORE_SESSIONS.name]
    return Computed(
        {
            OUT_QOE_DAILY.name: qoe.aggregate(core, settings.dimensions),
            OUT_QOE_HISTOGRAM_DAILY.name: histogram.aggregate(core, settings.dimensions),
        }
    )


SESSIONS = Derivation("qoe", (RAW_SESSIONS,), (CORE_SESSIONS, CORE_SESSIONS_QUARANTINE), _core_sessions)
QOE_DAILY = Derivation(
    "qoe",
    (CORE_SESSIONS,),
    (OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY),
    _qoe_daily,
    bases=(OUT_QOE_DAILY_BASE, OUT_QOE_HISTOGRAM_DAILY_BASE),
)

DERIVATIONS = (SESSIONS, QOE_DAILY)
"""Every step, sources before what is derived from them."""

FAMILIES = tuple(dict.fromkeys(step.family for step in DERIVATIONS))


def steps_of(family: str) -> tuple[Derivation, ...]:
    """Return the steps of a family, in order."""
    return tuple(step for step in DERIVATIONS if step.family == family)
