"""Player events in Postgres: any order, split and repetition of batches leaves the same rows."""

import json
import random
from datetime import UTC, datetime

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.payloads import events
from ingest.payloads.instants import Arrival
from tests.integration.test_live_landing import EVENTS, event
from warehouse import landing

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CHANGED = event(3, "play", 1.8, position=1)
"""A newer send of an event: its time is greater."""

RECORDS = [
    events.accept(json.dumps(told).encode(), tenant="t", arrival=Arrival.at(NOW)).record for told in (*EVENTS, CHANGED)
]


def rows(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT event_id, timestamp, event_type, video_id, event_data, ingest_id FROM analytics_events ORDER BY 1"
    ).fetchall()


def follow(connection: psycopg.Connection, batches: list[list[bytes]]) -> list[tuple[object, ...]]:
    connection.execute("TRUNCATE analytics_events, session_keys")
    for batch in batches:
        landing.follow(connection, b"[" + b",".join(batch) + b"]")
    return rows(connection)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_any_order_split_and_repetition_leaves_the_same_rows(
    connection: psycopg.Connection, chance: random.Random
) -> None:
    expected = follow(connection, [RECORDS])
    assert len(expected) == len(EVENTS)
    again = RECORDS + chance.sample(RECORDS, 3)
    chance.shuffle(again)
    cuts = sorted(chance.sample(range(1, len(again)), 3))
    parts = [again[a:b] for a, b in zip([0, *cuts], [*cuts, len(again)], strict=True)]
    assert follow(connection, parts) == expected
    assert connection.execute("SELECT count(*) FROM session_keys").fetchone() == (1,)
