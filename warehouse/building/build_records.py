"""What a build leaves in the record of builds: rows that went in, came out, were superseded or quarantined, by day.

How rows are computed is in `warehouse.building`, the record itself in `warehouse.building.builds`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl
import psycopg

from warehouse.building import builds
from warehouse.derivations.derivation import Computed, Derivation
from warehouse.store import Store

WHOLE = date.min
"""The day under which builds of whole tables are recorded."""


def record(
    store: Store,
    connection: psycopg.Connection,
    step: Derivation,
    days: Sequence[date],
    seen: Mapping[date, str],
    rows_in: Mapping[date, int],
    computed: Computed,
) -> None:
    """Record a build of these days, of a whole step under `WHOLE`: what it saw and how many rows it made of it."""

    def by_day(frames: Iterable[pl.DataFrame]) -> dict[date, int]:
        counts = dict.fromkeys(days, 0)
        for frame in frames:
            rows = {WHOLE: frame.height} if step.whole else rows_by_day(frame, days)
            counts = {day: count + rows[day] for day, count in counts.items()}
        return counts

    first, *others = (computed.frames[target.name] for target in step.targets)
    rows_out = by_day([first])
    quarantined = by_day(
        frame for target, frame in zip(step.targets[1:], others, strict=True) if target.name.endswith("_quarantine")
    )
    for day in days:
        builds.record(
            connection,
            step.recorded,
            day,
            source_fingerprint=seen.get(day),
            definition_version=store.definition_version,
            built_at=store.settings.now(),
            rows_in=rows_in[day],
            rows_out=rows_out[day],
            rows_quarantined=quarantined[day],
            rows_superseded=computed.superseded.get(day, 0),
        )


def rows_by_day(frame: pl.DataFrame, days: Sequence[date]) -> dict[date, int]:
    """Count the rows of each of these days."""
    counts = dict(frame.group_by("day").len().iter_rows())
    return {day: counts.get(day, 0) for day in days}
