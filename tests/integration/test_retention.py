"""Retention: by arrival, never by the phone's clock; rows go, their sums stay, and late ones add up."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import URL

from tests.integration.landed import FIRST, body, land
from tests.integration.populated import build
from tests.integration.prepared import Prepared, prepared
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, RAW_SESSIONS
from warehouse.governance.rebuilding import verify
from warehouse.governance.retention import retain
from warehouse.policies import Policy, defaults
from warehouse.store import Store

EARLY = datetime(2026, 3, 10, tzinfo=UTC)
LATE = datetime(2026, 4, 20, tzinfo=UTC)
BETWEEN = datetime(2026, 6, 15, tzinfo=UTC)
"""More than 90 days after the early arrivals, fewer after the late ones."""


def at(store: Store, now: datetime, *policies: Policy) -> Store:
    kept = (*(policy for policy in defaults(90) if policy.kind not in {p.kind for p in policies}), *policies)
    return replace(store, settings=replace(store.settings, fixed_now=now, retention=kept))


def ids(store: Store) -> dict[str, list[str]]:
    with store.database.connect() as connection:
        tables = {
            table: sorted(row[0] for row in connection.execute(f"SELECT session_id FROM {table}".encode()))
            for table in ("sessions", "session_keys")
        }
    lake = {dataset.name: sorted(store.lake.read(dataset)["session_id"]) for dataset in (RAW_SESSIONS, CORE_SESSIONS)}
    return tables | lake


def sums(store: Store) -> list[pl.DataFrame]:
    return [store.lake.read(dataset).sort(dataset.key) for dataset in (OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY)]


def fill(store: Store) -> None:
    early = [body(n, FIRST + timedelta(days=n % 3), streamType="vod" if n % 2 else "live") for n in range(12)]
    land(store, early, now=EARLY)
    late = [body(n, FIRST + timedelta(days=n % 3), streamType="vod") for n in range(20, 26)]
    land(store, late, now=LATE)
    build(at(store, LATE))


@pytest.fixture(scope="module")
def home(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with prepared(server_url, template, tmp_path_factory.mktemp("retained") / "home", fill) as made:
        yield made


@pytest.fixture
def filled(home: Prepared, tmp_path: Path) -> Iterator[Store]:
    with home.copied(tmp_path / "home") as store:
        yield store


TABLES = ("sessions", "session_keys", "raw_sessions", "core_sessions")
LATE_IDS = sorted(f"s{n}" for n in range(20, 26))


def test_a_dry_run_counts_and_changes_nothing(filled: Store) -> None:
    held = ids(filled)
    done = retain(at(filled, BETWEEN), dry_run=True)
    assert done.rows["sessions"] == done.rows["raw_sessions"] == 12
    assert ids(filled) == held


def test_what_arrives_for_a_frozen_day_is_added(filled: Store) -> None:
    retain(at(filled, BETWEEN))
    land(filled, [body(90, FIRST, startupTimeMs=7)], now=BETWEEN)
    build(at(filled, BETWEEN))
    content = pl.col("dimension") == "content"
    day = filled.lake.read(OUT_QOE_DAILY, lambda rows: rows.filter(content, pl.col("day") == FIRST))
    assert day["sessions"].sum() == 4 + 2 + 1
    assert day["startup_ms_sum"].sum() == sum(500 + n for n in (0, 3, 6, 9, 21, 24)) + 7
    retain(at(filled, BETWEEN + timedelta(days=100)))
    assert ids(filled)["core_sessions"] == []
    again = filled.lake.read(OUT_QOE_DAILY, lambda rows: rows.filter(content, pl.col("day") == FIRST))
    assert again["startup_ms_sum"].sum() == day["startup_ms_sum"].sum()


def test_a_phones_clock_neither_shortens_nor_lengthens_a_life(filled: Store) -> None:
    land(filled, [body(year, date(year, 3, 1)) for year in (2016, 2036, 1999)], now=LATE)
    build(at(filled, LATE))
    retain(at(filled, BETWEEN))
    neighbours = sorted([*LATE_IDS, "s2016", "s2036", "s1999"])
    assert ids(filled) == dict.fromkeys(TABLES, neighbours)
    retain(at(filled, LATE + timedelta(days=91)))
    assert not any(ids(filled).values())


def test_the_narrower_policy_holds(filled: Store) -> None:
    policies = (
        Policy("sessions", None),
        Policy("sessions", 30, stream_type="live"),
        Policy("sessions", 30, tenant="other"),
    )
    retain(at(filled, BETWEEN, *policies))
    kept = sorted([*LATE_IDS, *(f"s{n}" for n in range(1, 12, 2))])
    assert ids(filled) == dict.fromkeys(TABLES, kept)


def test_a_later_send_keeps_a_session_also_one_older_by_the_phones_clock(filled: Store) -> None:
    later = [body(3, FIRST, timestamp=1_900_000_000_000), body(6, FIRST, timestamp=1_000_000_000_000)]
    land(filled, later, now=LATE)
    build(at(filled, LATE))
    retain(at(filled, BETWEEN))
    assert ids(filled) == dict.fromkeys(TABLES, sorted([*LATE_IDS, "s3", "s6"]))
    content = pl.col("dimension") == "content"
    assert filled.lake.read(OUT_QOE_DAILY, lambda rows: rows.filter(content))["sessions"].sum() == 18
    assert list(verify(at(filled, BETWEEN))) == []


def test_months_that_are_over_are_dropped_whole(filled: Store) -> None:
    def months() -> set[str]:
        with filled.database.connect() as connection:
            return {row[0] for row in connection.execute("SELECT relid::text FROM pg_partition_tree('sessions')")}

    assert "sessions_2026_03" in months()
    retain(at(filled, LATE + timedelta(days=91)))
    assert "sessions_2026_03" not in months()
    land(filled, [body(99, FIRST)], now=LATE + timedelta(days=91))
    assert ids(filled)["sessions"] == ["s99"]


def test_incidents_go_with_the_aggregates_they_were_found_in(store: Store) -> None:
    old, recent = EARLY, EARLY + timedelta(days=300)
    now = EARLY + timedelta(days=401)
    kept = {"open": ("open", old), "recent": ("resolved", recent), "to be told": ("resolved", old)}
    with store.database.connect() as connection:
        for name, (state, seen) in (kept | {"over": ("resolved", old), "withdrawn": ("withdrawn", old)}).items():
            connection.execute(
                "INSERT INTO incidents VALUES (gen_random_uuid(), %(name)s, 'all', NULL, NULL, NULL, 'failure_pct',"
                " %(state)s, %(seen)s, %(seen)s, %(seen)s, 1, 1, 1, 1, 1, 1, 1, 1, 'minor', '{}', '[]', %(seen)s)",
                {"name": name, "state": state, "seen": seen},
            )
            connection.execute(
                "INSERT INTO incident_deliveries (idempotency_key, tenant, incident_id, event, body, queued_at,"
                " delivered_at) SELECT tenant, tenant, incident_id, 'opened', '{}', seen_at, CASE tenant"
                " WHEN 'to be told' THEN NULL ELSE seen_at END FROM incidents WHERE tenant = %s",
                (name,),
            )
    assert retain(at(store, now)).rows["incidents"] == 2
    with store.database.connect() as connection:
        for table in ("incidents", "incident_deliveries"):
            left = connection.execute(f"SELECT tenant FROM {table}").fetchall()
            assert {name for (name,) in left} == kept.keys()


def test_incidents_stay_while_their_day_has_aggregates(store: Store) -> None:
    land(store, [body(1, FIRST)], now=EARLY + timedelta(days=350))
    now = EARLY + timedelta(days=401)
    build(at(store, now))
    begin = datetime.combine(FIRST, datetime.min.time(), UTC)
    with store.database.connect() as connection:
        connection.execute(
            "INSERT INTO incidents VALUES (gen_random_uuid(), 't', 'all', NULL, NULL, NULL, 'failure_pct',"
            " 'resolved', %(at)s, %(at)s, %(at)s, 1, 1, 1, 1, 1, 1, 1, 1, 'minor', '{}', '[]', %(at)s)",
            {"at": begin},
        )
    assert retain(at(store, now)).rows["incidents"] == 0
