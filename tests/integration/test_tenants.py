"""Tenants and their keys: dropping one leaves the others as they were."""

from datetime import UTC, date, datetime, time
from typing import LiteralString

import polars as pl
import psycopg
import pytest

from tests.integration.landing_records import batch, record
from warehouse import landing
from warehouse.access import keys, users
from warehouse.access.tenants import drop_tenant
from warehouse.building.publishing import publish
from warehouse.datasets import DATASETS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.tables import METADATA, PUBLISHED, TENANTED

MONDAY = date(2026, 1, 5)
WATCHED: tuple[LiteralString, ...] = (
    "INSERT INTO watches (tenant, user_id, kind, item, watched_at, received_at, ingest_id, source) "
    "VALUES (%s, 'u', 'movie', 'm', now(), now(), gen_random_uuid(), 'sync')",
    "INSERT INTO shows VALUES (%s, 'u', 'f', 1, true, now(), gen_random_uuid())",
    "INSERT INTO backfills VALUES (%s, 'u', 'e', gen_random_uuid(), now())",
    "INSERT INTO watchers VALUES (%s, 'u', 'UTC')",
    "INSERT INTO progress_days VALUES (%s, 'u', 'movie', now(), 'ja', 'synced', 1, 60)",
    "INSERT INTO progress_titles VALUES (%s, 'u', 'movie', 'm', 'M', 1, 60)",
    "INSERT INTO progress_instants VALUES (%s, 'u', now(), 1, 60)",
    "INSERT INTO goals VALUES (%s, 'u', 'day', 'ja', now(), 30)",
    "INSERT INTO outbox (dataset, tenant, record) VALUES ('raw_watches', %s, '{}')",
)
TOLD: tuple[LiteralString, ...] = (
    "INSERT INTO incidents (incident_id, tenant, dimension, metric, state, started_at, detected_at, peak, baseline, n, "
    "sessions, share, score, severity, also, causes, seen_at) VALUES (gen_random_uuid(), %s, 'all', 'startup_ms', "
    "'open', now(), now(), 2, 1, 1, 1, 1, 5, 'minor', '{}', '[]', now())",
    "INSERT INTO incident_deliveries (idempotency_key, tenant, incident_id, event, body, queued_at) "
    "VALUES (gen_random_uuid(), %s, gen_random_uuid(), 'opened', '{}', now())",
)
LIVE: tuple[LiteralString, ...] = (
    "INSERT INTO streams (tenant, stream_id, is_live, public, created_at, updated_at, ingest_id) "
    "VALUES (%s, 's', true, true, now(), now(), gen_random_uuid())",
    "INSERT INTO chat_messages (tenant, stream_id, message_id, timestamp, emotes, clock_suspect, created_at, "
    "ingest_id) VALUES (%s, 's', 'm', now(), '{}', false, now(), gen_random_uuid())",
    "INSERT INTO viewer_timeseries (tenant, stream_id, timestamp, viewer_count, clock_suspect, created_at, "
    "ingest_id) VALUES (%s, 's', now(), 1, false, now(), gen_random_uuid())",
    "INSERT INTO analytics_events (tenant, session_id, event_id, event_type, clock_suspect, created_at, ingest_id) "
    "VALUES (%s, 's', 'e', 'play', false, now(), gen_random_uuid())",
    "INSERT INTO tickets (sha256, tenant, expires_at) VALUES (gen_random_uuid()::text, %s, now())",
)
GOVERNED: tuple[LiteralString, ...] = (
    "INSERT INTO tombstones VALUES (%s, 'session', '\\x00', now())",
    "INSERT INTO erasures (receipt, tenant, kind, sha256, asked_at, counts) "
    "VALUES (gen_random_uuid(), %s, 'session', '\\x00', now(), '{}')",
)


def fill(database: Database, lake: Lake, *tenants: str) -> None:
    with database.connect() as connection:
        for tenant in tenants:
            landing.follow(connection, batch(record("s", tenant=tenant)))
            landing.quarantine(connection, batch(record("q", tenant=tenant))[1:-1], "a reason")
            keys.create_key(connection, tenant=tenant, name="k", scopes=["land"], quota=None)
            keys.set_quota(connection, tenant, 5)
            users.add_user(connection, name=f"user of {tenant}", password="p", tenant=tenant)
            connection.execute("INSERT INTO rate_leases VALUES (%s, 'k', now(), 1)", (tenant,))
            for statement in (*WATCHED, *TOLD, *LIVE, *GOVERNED):
                connection.execute(statement, (tenant,))
        for dataset in DATASETS.values():
            hour = datetime.combine(MONDAY, time(), UTC)
            rows = [{"day": MONDAY, "hour": hour, "tenant": name} for name in tenants]
            frame = pl.DataFrame(rows, schema=lake.schema(dataset))
            lake.append_once(dataset, frame, app_id="fill", version=1)
            if dataset.name in PUBLISHED:
                publish(connection, dataset, frame, [MONDAY])


def held(database: Database, lake: Lake) -> dict[str, list[str]]:
    with database.engine.connect() as connection:
        postgres = {table.name: sorted(row.tenant for row in connection.execute(table.select())) for table in TENANTED}
    return postgres | {
        f"lake {name}": sorted(lake.scan(dataset).collect()["tenant"]) for name, dataset in DATASETS.items()
    }


def test_dropping_a_tenant_leaves_the_others(database: Database, lake: Lake) -> None:
    fill(database, lake, "demo", "acme")
    assert set(map(tuple, held(database, lake).values())) == {("acme", "demo")}
    drop_tenant(database, lake, "demo")
    drop_tenant(database, lake, "demo")
    assert set(map(tuple, held(database, lake).values())) == {("acme",)}


def test_every_table_with_a_tenant_is_known() -> None:
    assert {table.name for table in TENANTED} == {
        table.name for table in METADATA.tables.values() if "tenant" in table.columns
    }


def test_a_lent_connection_comes_back_clean(database: Database) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), database.connect() as connection:
        connection.execute("BEGIN; SELECT 1/0")
    with pytest.raises(psycopg.OperationalError), database.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    for _ in range(3):
        with database.engine.begin() as transaction:
            assert transaction.exec_driver_sql("SELECT 1").scalar() == 1
