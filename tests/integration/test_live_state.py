"""What is told of running streams: read together or alone, and however often, it is the same."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from warehouse.live import state
from warehouse.live.reading import StreamKey
from warehouse.live.state import LiveStream
from warehouse.metrics import live_bins, moment_rows
from warehouse.metrics.live_bins import by_stream
from warehouse.metrics.moments import StreamState, advance
from warehouse.metrics.sentiment import Sentiment

NOW = datetime(2026, 3, 1, 20, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=20)
STEPS = 30
EVERY_S = 7
LAST = NOW + timedelta(seconds=EVERY_S * (STEPS - 1))
KEYS = [StreamKey("acme", "busy"), StreamKey("acme", "quiet"), StreamKey("globex", "busy"), StreamKey("acme", "none")]

# A burst of five times the usual chat begins two minutes after NOW; globex' stream of the same name has none.
_FILL = """
INSERT INTO chat_messages
    (tenant, stream_id, message_id, timestamp, user_id, message, emotes, clock_suspect, created_at, ingest_id)
SELECT tenant, stream_id, format('%%s-%%s', second, copy), %(began)s + second * interval '1 second', 'u' || copy %% 7,
    CASE copy %% 3 WHEN 0 THEN 'great' WHEN 1 THEN 'awful' ELSE 'x' END, ARRAY['PogChamp'], false, now(),
    gen_random_uuid()
FROM (VALUES ('acme', 'busy', 4, 20), ('globex', 'busy', 2, 2), ('acme', 'quiet', 1, 1))
    AS chat (tenant, stream_id, n, peak)
CROSS JOIN generate_series(0, 1500) AS second
CROSS JOIN LATERAL generate_series(1, CASE WHEN second BETWEEN 1320 AND 1350 THEN peak ELSE n END) AS copy
WHERE stream_id <> 'quiet' OR second < 1100
"""
_SAMPLES = """
INSERT INTO viewer_timeseries (tenant, stream_id, timestamp, viewer_count, clock_suspect, created_at, ingest_id)
SELECT 'acme', 'busy', %(began)s + second * interval '1 second', 100 + second, false, now(), gen_random_uuid()
FROM generate_series(0, 1500, 10) AS second
"""


@pytest.fixture
def told(connection: psycopg.Connection) -> psycopg.Connection:
    for statement in (_FILL, _SAMPLES):
        connection.execute(statement, {"began": BEGAN})
    return connection


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a client reads, without the last digits of divisions."""
    read: dict[str, Any] = json.loads(msgspec.json.encode(message), parse_float=lambda text: round(float(text), 9))
    return read


def followed(
    connection: psycopg.Connection, groups: Sequence[Sequence[StreamKey]]
) -> dict[tuple[StreamKey, datetime], dict[str, Any]]:
    """Read the streams of each group together, step by step; return every message."""
    sentiment = Sentiment()
    streams = [[LiveStream(key) for key in group] for group in groups]
    shown = {}
    for step in range(STEPS):
        now = NOW + timedelta(seconds=EVERY_S * step)
        for group in streams:
            messages = state.read(connection, group, now, sentiment=sentiment)
            shown |= {(stream.key, now): plain(message) for stream, message in zip(group, messages, strict=True)}
    return shown


def test_streams_that_are_read_together_are_told_of_as_if_alone(told: psycopg.Connection) -> None:
    together = followed(told, [KEYS])
    assert together == followed(told, [[key] for key in KEYS])
    first, last = ([together[key, at] for key in KEYS] for at in (NOW, LAST))
    assert [message["chat_rate"] for message in first] == [4.0, 0.0, 2.0, 0.0]
    assert [message["viewer_count"] for message in last] == [1500, 0, 0, 0]
    assert [message["unique_chatters"] for message in last] == [7, 0, 2, 0]
    assert [len(message["recent_moments"]) for message in last] == [1, 0, 0, 0]
    assert [message["sentiment_score"] for message in (last[1], last[3])] == [None, None]


def test_moments_are_those_of_all_bins_judged_at_once(told: psycopg.Connection) -> None:
    (key, *_) = KEYS
    last = followed(told, [[key]])[key, LAST]
    found = state.landed(told, {key: BEGAN}, LAST, Sentiment())
    ((_, bins),) = by_stream(live_bins.bins(found.chat, found.viewers))
    _, moments, _ = advance(StreamState(), bins)
    rows = [moment_rows.named(moment_rows.row(*key, moment)) for moment in moments]
    assert [row["moment_type"] for row in rows] == ["chat_spike"]
    assert last["recent_moments"] == plain({"rows": rows})["rows"]
