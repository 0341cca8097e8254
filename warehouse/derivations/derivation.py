"""What a step from source tables to derived ones is. Which there are is in `derivations` and `live_derivations`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl
import psycopg

from warehouse.datasets.dataset import Dataset
from warehouse.engines import Engine
from warehouse.settings import StorageSettings

Frames = Mapping[str, pl.DataFrame]
"""Rows by the name of their dataset."""

CONTROL = "control"
"""The name of the rows that a derivation reads beside its sources."""


Aggregate = Callable[[Any, Mapping[str, str], Dataset], Any]
"""From source rows of any engine, unread, the configured dimensions and a target to the target's rows."""

Late = Callable[[Frames, Frames], Frames]
"""From the rows of bases and those computed of the same days to what of the latter is added."""


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
    can compute. The last targets may have `bases`: what expired source rows contributed is kept there, and added.
    Where rows do not add up, `late` says what of the rows computed of a day with bases stands beside theirs.
    With `days_before`, `compute` is also given so many days before each, a change of which makes the day stale; what it
    returns of those is left out.
    """

    family: str
    sources: tuple[Dataset, ...]
    targets: tuple[Dataset, ...]
    compute: Callable[[Frames, StorageSettings], Computed] | None = None
    whole: bool = False
    aggregates: tuple[Aggregate, ...] = ()
    bases: tuple[Dataset, ...] = ()
    late: Late | None = None
    control: Callable[[psycopg.Connection, StorageSettings], pl.DataFrame] | None = None
    days_before: int = 0

    @property
    def based(self) -> tuple[tuple[Dataset, Dataset], ...]:
        """The targets that have a base, each with it."""
        return tuple(zip(self.targets[len(self.targets) - len(self.bases) :], self.bases, strict=True))

    @property
    def recorded(self) -> Dataset:
        """The target under which builds are recorded."""
        return self.targets[0]

    def aggregated(self, engine: Engine, rows: Any, dimensions: Mapping[str, str]) -> dict[str, pl.DataFrame]:
        """Return what the engine makes of source rows of its own kind: the rows of each target."""
        asked = [aggregate(rows, dimensions, t) for t, aggregate in zip(self.targets, self.aggregates, strict=True)]
        return dict(zip((target.name for target in self.targets), engine.collect(asked), strict=True))
