"""Live streams and player events from HTTP to Postgres, to the lake and to what is published of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from ingest.recovery import drain
from tests.integration.endpoint import serving
from tests.unit.real_data import FOLDER, needs
from warehouse import building
from warehouse.datasets import CORE_SESSIONS
from warehouse.datasets.events import CORE_EVENTS
from warehouse.datasets.live import CORE_CHAT
from warehouse.derivations import DERIVATIONS, Derivation
from warehouse.store import Store

START = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    with serving(store.settings) as opened:
        yield opened


def message(number: int, at_s: float, **fields: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{number}",
        "stream_id": "s",
        "user_id": f"u{number % 7}",
        "message": "what a great run",
        "emotes": ["PogChamp", "Kappa"][: number % 3],
        "timestamp": START_MS + round(at_s * 1000),
    } | fields


def event(number: int, kind: str, at_s: float, **data: Any) -> dict[str, Any]:
    return {
        "eventId": f"e{number}",
        "sessionId": "sess",
        "videoId": "v",
        "userId": "u",
        "type": kind,
        "timestamp": START_MS + round(at_s * 1000),
        "data": data,
    }


EVENTS = [
    event(1, "load", 0, duration=100),
    event(2, "ready", 0.8, startup_ms=800),
    event(3, "play", 0.8, position=0),
    event(4, "buffer_start", 10.8, position=10),
    event(5, "buffer_end", 12.8, position=10),
    event(6, "pause", 32.8, position=30),
]


def build_everything(store: Store, steps: tuple[Derivation, ...] = DERIVATIONS) -> None:
    for step in steps:
        building.build(store, step, () if step.whole else building.stale_days(store, step))


def scalar(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_stream_from_http_to_its_minutes_and_moments(
    client: httpx.Client, store: Store, connection: psycopg.Connection
) -> None:
    described = {"stream_id": "s", "title": "Run", "started_at": START.isoformat(), "is_live": True, "public": True}
    assert client.post("/v1/streams", json=described).json() == {
        "status": "success",
        "accepted": 1,
        "duplicates": 0,
        "rejected": [],
    }
    quiet = [message(n, n * 0.5) for n in range(1400)]
    burst = [message(10_000 + n, 660 + n * 0.05) for n in range(600)]
    bad = [message(0, 0, emotes="none"), quiet[0]]
    answer = client.post("/v1/chat", json={"messages": quiet + burst + bad}).json()
    assert (answer["accepted"], answer["duplicates"]) == (2001, 1)
    assert [refused["index"] for refused in answer["rejected"]] == [2000]
    samples = [{"stream_id": "s", "viewer_count": 100 + n % 6, "timestamp": START_MS + n * 10_000} for n in range(70)]
    assert client.post("/v1/viewers", json={"samples": samples}).json()["accepted"] == 70
    client.post("/v1/chat", json={"messages": quiet[:50]})  # a repeat in another body changes nothing
    drain(store.settings, store.database, store.lake, timeout_s=30)
    build_everything(store)
    assert scalar(connection, "SELECT count(*) FROM chat_messages") == 2000
    assert scalar(connection, "SELECT count(*) FROM viewer_timeseries") == 70
    assert store.lake.scan(CORE_CHAT).collect().height == 2000
    minutes = connection.execute(
        "SELECT chat_count, unique_chatters, top_emotes, chat_rate, avg_viewers FROM chat_summary_minute"
        " ORDER BY window_start"
    ).fetchall()
    assert minutes[0] == (120, 7, ["PogChamp", "Kappa"], 2.0, 102.5)
    assert sum(row[0] for row in minutes) == 2000
    # The burst is eleven minutes in, after midnight: what was usual before is known from the day before.
    spikes = connection.execute(
        "SELECT timestamp, metadata ->> 'messages', threshold FROM moments WHERE moment_type = 'chat_spike'"
    ).fetchall()
    assert len(spikes) == 1
    assert timedelta(seconds=660) <= spikes[0][0] - START <= timedelta(seconds=690)
    assert not building.stale_days(store)


def test_a_summary_and_its_events_are_one_session(
    client: httpx.Client, store: Store, connection: psycopg.Connection
) -> None:
    late = START + timedelta(minutes=20)  # the summary claims the next day; the events came first
    bad = event(9, "jump", 1)
    answer = client.post("/analytics/events", json={"events": [*EVENTS[::-1], EVENTS[0], bad]}).json()
    assert (answer["success"], answer["data"]["accepted"], answer["data"]["duplicates"]) == (True, 7, 1)
    assert answer["data"]["rejected"][0]["index"] == 7
    refused = client.post("/analytics/events", content=b"[]", headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    assert refused.json()["success"] is False
    assert refused.json()["error"]["code"] == "INVALID_SCHEMA"
    summary = {"sessionId": "sess", "sessionStartDateIso": late.isoformat(), "sessionDurationMs": 40_000}
    assert client.post("/v1/sessions", json=summary | {"playTimeMs": 31_000, "dropped": 1}).status_code == 200
    drain(store.settings, store.database, store.lake, timeout_s=30)
    build_everything(store)
    rows = store.lake.scan(CORE_SESSIONS).collect().to_dicts()
    assert len(rows) == 1
    assert rows[0]["day"] == START.date()
    told = {name: rows[0][name] for name in ("duration_ms", "play_ms", "startup_ms", "rebuffer_ms", "content_id")}
    assert told == {
        "duration_ms": 40_000,
        "play_ms": 31_000,
        "startup_ms": 800,
        "rebuffer_ms": 2_000,
        "content_id": "v",
    }
    assert (rows[0]["gap"], rows[0]["business_error_count"]) == (False, 0)
    assert scalar(connection, "SELECT count(*) FROM analytics_events") == 6
    seconds = connection.execute("SELECT min(second), max(second), sum(count) FROM core_watched_seconds").fetchone()
    assert seconds == (1, 30, 30)
    assert scalar(connection, "SELECT sessions_n FROM out_engagement WHERE second = 0") == 1


@needs("epas")
def test_beacons_are_accepted_and_refused_as_labelled(client: httpx.Client, store: Store) -> None:
    corpus = json.loads((FOLDER / "epas" / "events.json").read_text())
    valid, invalid = corpus["valid"], corpus["invalid"]
    assert [client.post("/v1/epas", json=beacon).status_code for beacon in valid] == [200] * 15
    assert [client.post("/v1/epas", json=beacon).status_code for beacon in invalid] == [400] * 16
    together = client.post("/v1/epas", json=[*valid, *invalid]).json()
    assert (together["accepted"], [r["index"] for r in together["rejected"]]) == (15, list(range(15, 31)))
    drain(store.settings, store.database, store.lake, timeout_s=30)
    build_everything(store, tuple(step for step in DERIVATIONS if step.family == "events"))
    assert store.lake.scan(CORE_EVENTS).collect().height == len({json.dumps(b, sort_keys=True) for b in valid})
