"""Steps that are built as a whole: only the days that differ are replaced."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from tests.integration.landed import FIRST, body, land, land_days
from warehouse import building
from warehouse.datasets import CORE_SESSIONS
from warehouse.derivations import SESSIONS, Computed, Derivation, Frames
from warehouse.settings import StorageSettings
from warehouse.store import Store

WHOLE = replace(SESSIONS, whole=True)


def built(store: Store, step: Derivation = WHOLE) -> dict[date, int]:
    return building.build(store, step).rows[CORE_SESSIONS.name]


def test_a_day_is_replaced_only_where_its_rows_differ(store: Store) -> None:
    land_days(store, days=2, per_day=5)
    assert building.stale_days(store, WHOLE) == [building.WHOLE]
    assert built(store) == {FIRST: 5, FIRST + timedelta(days=1): 5}
    assert building.stale_days(store, WHOLE) == []
    before = store.lake.fingerprints(CORE_SESSIONS)
    assert built(store) == {}
    assert store.lake.fingerprints(CORE_SESSIONS) == before
    land(store, [body(99, FIRST)])
    assert building.stale_days(store, WHOLE) == [building.WHOLE]
    assert built(store) == {FIRST: 6}
    after = store.lake.fingerprints(CORE_SESSIONS)
    assert {day for day in after if after[day] != before[day]} == {FIRST}


def test_days_without_rows_any_more_become_empty(store: Store) -> None:
    def nothing(_sources: Frames, settings: StorageSettings) -> Computed:
        empty = {target.name: pl.DataFrame(schema=target.schema(settings.dimensions)) for target in WHOLE.targets}
        return Computed(empty)

    land_days(store, days=2, per_day=5)
    built(store)
    assert built(store, replace(WHOLE, compute=nothing)) == {FIRST: 0, FIRST + timedelta(days=1): 0}
    assert store.lake.row_counts(CORE_SESSIONS) == {}


def test_rows_of_other_days_are_a_fault_of_the_step(store: Store) -> None:
    def yesterday(sources: Frames, settings: StorageSettings) -> Computed:
        computed = SESSIONS.compute(sources, settings)
        moved = {name: frame.with_columns(pl.col("day") - timedelta(days=1)) for name, frame in computed.frames.items()}
        return Computed(moved)

    land_days(store, days=1, per_day=5)
    with pytest.raises(ValueError, match="core_sessions: rows of"):
        building.build(store, replace(SESSIONS, compute=yesterday), [FIRST])
