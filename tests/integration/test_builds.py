"""The record of builds: a day is stale when its source or the definitions changed, or its source vanished."""

from datetime import UTC, date, datetime

import psycopg

from warehouse.building import builds
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY

NOW = datetime(2026, 1, 9, tzinfo=UTC)
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def build(
    connection: psycopg.Connection, day: date, fingerprint: str | None, version: str = "v1", superseded: int = 0
) -> None:
    builds.record(
        connection,
        CORE_SESSIONS,
        day,
        source_fingerprint=fingerprint,
        definition_version=version,
        built_at=NOW,
        rows_in=3,
        rows_out=2,
        rows_superseded=superseded,
    )


def test_what_was_never_built_is_stale_in_order(connection: psycopg.Connection) -> None:
    assert builds.stale_days(connection, CORE_SESSIONS, {TUESDAY: "b", MONDAY: "a"}, "v1") == [MONDAY, TUESDAY]
    assert builds.stale_days(connection, CORE_SESSIONS, {}, "v1") == []


def test_a_built_day_is_stale_once_its_source_or_the_definitions_change(connection: psycopg.Connection) -> None:
    build(connection, MONDAY, "a")
    build(connection, TUESDAY, "b")
    assert builds.stale_days(connection, CORE_SESSIONS, {MONDAY: "a", TUESDAY: "b"}, "v1") == []
    assert builds.stale_days(connection, CORE_SESSIONS, {MONDAY: "a", TUESDAY: "c"}, "v1") == [TUESDAY]
    assert builds.stale_days(connection, CORE_SESSIONS, {MONDAY: "a", TUESDAY: "b"}, "v2") == [MONDAY, TUESDAY]
    assert builds.stale_days(connection, OUT_QOE_DAILY, {MONDAY: "a"}, "v1") == [MONDAY]


def test_a_day_whose_source_vanished_is_stale_until_it_is_built_empty(connection: psycopg.Connection) -> None:
    build(connection, MONDAY, "a", superseded=1)
    assert builds.stale_days(connection, CORE_SESSIONS, {}, "v1") == [MONDAY]
    build(connection, MONDAY, None)
    assert builds.stale_days(connection, CORE_SESSIONS, {}, "v1") == []
    assert builds.stale_days(connection, CORE_SESSIONS, {}, "v2") == []
    assert builds.stale_days(connection, CORE_SESSIONS, {MONDAY: "a"}, "v1") == [MONDAY]


def test_the_newest_build_counts(connection: psycopg.Connection) -> None:
    build(connection, MONDAY, "a", superseded=4)
    build(connection, TUESDAY, "b", superseded=5)
    build(connection, MONDAY, "c", superseded=6)
    assert builds.superseded(connection, CORE_SESSIONS) == {MONDAY: 6, TUESDAY: 5}
    assert builds.superseded(connection, OUT_QOE_DAILY) == {}
