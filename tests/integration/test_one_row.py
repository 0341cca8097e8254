"""One row a session, the newest, whatever the order, the batches and the shapes: Postgres and core say the same."""

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from ingest.landing import Landing
from ingest.payloads import session
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, RAW_SESSIONS
from warehouse.derivations import SESSIONS
from warehouse.store import open_store

NOW = datetime(2026, 3, 10, tzinfo=UTC)
SEED_COLUMNS = {
    "started_at": "started_at",
    "timestamp": "sent_at",
    "created_at": "received_at",
    "content_id": "content_id",
    "stream_type": "stream_type",
    "player_startup_ms": "startup_ms",
    "rebuffer_time_ms": "rebuffer_ms",
    "rebuffer_count": "rebuffer_count",
    "error_count": "error_count",
    "session_duration_ms": "duration_ms",
    "play_time_ms": "play_ms",
    "seek_count": "seek_count",
    "dropped_frames": "dropped_frames",
    "clock_suspect": "clock_suspect",
    "ingest_id": "ingest_id",
}


def send(rng: random.Random) -> dict[str, object]:
    """One of a few sessions, in either shape, at any of a few times: most sends are resends."""
    minute = rng.randrange(4_000)
    sent = int((NOW - timedelta(minutes=minute)).timestamp() * 1000)
    number = rng.randrange(6)
    body: dict[str, object] = {
        "contentId": rng.choice(["a", "b", None]),
        "streamType": rng.choice(["dash", None]),
        "rebufferTimeMs": rng.choice([None, 0, 700]),
        "rebufferCount": rng.randrange(3),
        "errorCount": rng.choice([None, 0, 1]),
    }
    if rng.random() < 0.3:
        return body | {"sessionId": f"s{number}", "timestamp": sent, "playerStartupMs": rng.randrange(900)}
    start = rng.choice(["2026-03-08T23:59:59", "2026-03-09T00:00:01Z", "2026-03-09T10:00:00+13:00", "1999-01-01"])
    return body | {
        "sessionId": number if rng.random() < 0.3 else f"s{number}",
        "sessionStartDateIso": start,
        "sessionDurationMs": 60_000,
        "startupTimeMs": rng.choice([None, 300, 900]),
        "playTimeMs": rng.choice([None, 0, 50_000]),
        "totalSeekCount": rng.randrange(2),
        "totalDroppedFrames": rng.randrange(9),
        "meanVideoFormatBitrate": -1,
        **({"timestamp": sent} if rng.random() < 0.7 else {}),
    }


@pytest.mark.parametrize("seed", range(6))
def test_postgres_and_core_hold_the_newest_send_of_each_session(storage, seed):
    rng = random.Random(seed)
    with open_store(storage) as store:

        async def run() -> None:
            for _ in range(3):  # as three workers, one after the other
                async with Landing.open(store.settings, store.database, store.lake) as landing:
                    for _ in range(4):
                        bodies = [json.dumps(send(rng)).encode() for _ in range(rng.randrange(1, 20))]
                        records = [session.accept(b, tenant="t", now=NOW).record for b in bodies]
                        rng.shuffle(records)
                        await asyncio.gather(*(landing.land([record]) for record in records))
                    await landing.seal()

        asyncio.run(run())
        building.build(store, SESSIONS, building.stale_days(store))
        core = store.lake.scan(CORE_SESSIONS).collect()
        with store.database.connect() as connection:
            cursor = connection.execute(f"SELECT session_id, identity_at, {', '.join(SEED_COLUMNS)} FROM sessions")
            stored = {row[:2]: row[2:] for row in cursor.fetchall()}
        raw = store.lake.scan(RAW_SESSIONS).collect()

    kept = {
        row[:2]: row[2:]
        for row in core.select("session_id", "identity_at", *dict.fromkeys(SEED_COLUMNS.values())).iter_rows()
    }
    assert len(kept) == core.height
    assert {key: (*row[:-1], str(row[-1])) for key, row in stored.items()} == kept
    newest: dict[tuple[object, object], tuple[object, ...]] = {}
    for row in raw.iter_rows(named=True):
        rank = (row["sent_at"], row["received_at"], row["ingest_id"])
        key = (row["session_id"], row["identity_at"])
        newest[key] = max(newest.get(key, rank), rank)
    assert {key: rank[2] for key, rank in newest.items()} == {key: row[-1] for key, row in kept.items()}
    assert raw.height > core.height
