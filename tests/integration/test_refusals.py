"""Records that Postgres refuses: told apart from a database that is away, and kept with their reason."""

import json
import uuid

import msgspec
import psycopg
import pytest
from psycopg import errors
from psycopg.rows import dict_row

from tests.integration.landing_records import record
from warehouse import landing
from warehouse.landing import SessionKey


def count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def refused(text: str) -> bytes:
    return json.dumps([record("good")])[:-1].encode() + b"," + text.encode() + b"]"


@pytest.mark.parametrize(
    "bad",
    [
        json.dumps(record("s", startupTimeMs=2**31)),
        json.dumps(record("s", title="\0")),
        json.dumps(record("s", title="\ud800")),
        json.dumps(record("s" * 129)),
        json.dumps(record("s", contentId="c" * 257)),
        json.dumps(record("s", startupTimeMs="soon")),
        json.dumps(record("s", startupTimeMs={"ms": 1})),
        json.dumps(record("s", title="REPLACED")).replace("REPLACED", "\0"),
        json.dumps(record("s", sent_at=2**62)),
        json.dumps(record("s", started_at=2**62)),
        json.dumps(record("s") | {"ingest_id": "nobody"}),
        json.dumps(record("s") | {"tenant": None}),
        json.dumps({"tenant": "acme"}),
        json.dumps(record("s", title="DEEP")).replace('"DEEP"', "[" * 100_000 + "]" * 100_000),
        "not json",
    ],
)
def test_a_bad_record_refuses_its_batch_and_is_named_as_the_cause(connection: psycopg.Connection, bad: str) -> None:
    with pytest.raises((psycopg.Error, msgspec.DecodeError)) as caught:
        landing.follow(connection, refused(bad))
    assert landing.is_refusal(caught.value)
    assert count(connection, "sessions") == count(connection, "session_keys") == 0


@pytest.mark.parametrize(
    "error",
    [
        errors.AdminShutdown(),
        errors.DeadlockDetected(),
        errors.DiskFull(),
        psycopg.OperationalError(),
        OSError(),
        KeyError(),
    ],
)
def test_a_database_that_is_away_or_busy_is_no_refusal(error: Exception) -> None:
    assert not landing.is_refusal(error)


def test_quarantine_keeps_the_record_once_and_tells_the_sealer(connection: psycopg.Connection) -> None:
    bad = record("s", title="\0")
    for raw in (json.dumps(bad).encode(), json.dumps(bad).encode(), b"\xff\0 is no record"):
        landing.quarantine(connection, raw, "unsupported \0 escape")
    with connection.cursor(row_factory=dict_row) as cursor:
        held = cursor.execute("SELECT tenant, reason, record FROM quarantine ORDER BY tenant").fetchall()
    assert held == [
        {"tenant": "", "reason": "unsupported \\x00 escape", "record": "\\xff\\x00 is no record"},
        {"tenant": "acme", "reason": "unsupported \\x00 escape", "record": json.dumps(bad)},
    ]
    placed = landing.placements(connection, [SessionKey("acme", "\0", None)], [bad["ingest_id"], str(uuid.uuid4())])
    assert placed == landing.Placements({}, {bad["ingest_id"]: "unsupported \\x00 escape"})
