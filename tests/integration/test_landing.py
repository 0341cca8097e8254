"""Following landed records: one row a session, the newest send, whatever the order."""

import threading
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from tests.integration.landing_records import DAY_MS, START_MS, batch, record
from warehouse import landing
from warehouse.landing import SessionKey
from warehouse.postgres import Database

SDK_BODY = {
    "startupTimeMs": 450,
    "rebufferTimeMs": 1200,
    "rebufferCount": 2,
    "playTimeMs": 42000,
    "rebufferRatio": 0.028,
    "totalDroppedFrames": 12,
    "totalSeekCount": 1,
    "totalSeekTimeMs": 300,
    "meanVideoFormatBitrate": -1,
    "errorCount": 0,
    "contentId": "movie-1",
    "streamType": "hls",
}


def rows(
    connection: psycopg.Connection, query: str = "SELECT * FROM sessions ORDER BY session_id"
) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def at(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def test_every_field_of_the_sdk_shape_has_its_column(connection: psycopg.Connection) -> None:
    sent = record("s", sent_at=START_MS + 61_007, received_at=START_MS * 1000 + 61_123_457, **SDK_BODY)
    assert landing.follow(connection, batch(sent)).rows == 1
    (row,) = rows(connection)
    assert row == {
        "tenant": "acme",
        "session_id": "s",
        "identity_at": None,
        "started_at": at(START_MS),
        "timestamp": at(START_MS + 61_007),
        "content_id": "movie-1",
        "stream_type": "hls",
        "session_duration_ms": 60_000,
        "player_startup_ms": 450,
        "play_time_ms": 42_000,
        "rebuffer_time_ms": 1200,
        "rebuffer_count": 2,
        "rebuffer_ratio": 0.028,
        "seek_time_ms": 300,
        "seek_count": 1,
        "dropped_frames": 12,
        "mean_bitrate_bps": -1,
        "error_count": 0,
        "clock_suspect": False,
        "payload": sent["body"],
        "created_at": at(START_MS) + timedelta(microseconds=61_123_457),
        "ingest_id": uuid.UUID(sent["ingest_id"]),
    }


def test_the_legacy_shape_fills_the_same_columns_and_nulls_stay_null(connection: psycopg.Connection) -> None:
    legacy = record("s", playerStartupMs=1200, rebufferTimeMs=None, errorCount=None, startupTimeMs=None)
    landing.follow(connection, batch(legacy))
    (row,) = rows(connection)
    assert row["player_startup_ms"] == 1200
    assert row["rebuffer_time_ms"] is row["error_count"] is row["rebuffer_count"] is row["content_id"] is None


def test_a_resend_with_another_start_stays_in_its_row(connection: psycopg.Connection) -> None:
    first = record("s", startupTimeMs=1)
    moved = record("s", started_at=START_MS + 40 * DAY_MS, startupTimeMs=2)
    landing.follow(connection, batch(first))
    assert landing.follow(connection, batch(moved)).rows == 1
    (row,) = rows(connection)
    assert (row["started_at"], row["player_startup_ms"]) == (at(START_MS), 2)


def test_the_first_arrival_in_a_batch_places_the_session(connection: psycopg.Connection) -> None:
    later = record("s", started_at=START_MS + 3 * DAY_MS, received_at=2_000_000, sent_at=9)
    earlier = record("s", started_at=START_MS + DAY_MS, received_at=1_000_000, sent_at=5)
    landing.follow(connection, batch(later, earlier))
    (row,) = rows(connection)
    assert (row["started_at"], row["timestamp"]) == (at(START_MS + DAY_MS), at(9))


def test_an_older_send_changes_nothing(connection: psycopg.Connection) -> None:
    landing.follow(connection, batch(record("s", sent_at=2_000, startupTimeMs=2)))
    assert landing.follow(connection, batch(record("s", sent_at=1_000, startupTimeMs=1))).rows == 0
    assert rows(connection)[0]["player_startup_ms"] == 2


def test_devices_that_count_from_one_stay_apart(connection: psycopg.Connection) -> None:
    one = record("1", identity_at=START_MS, startupTimeMs=1)
    other = record("1", identity_at=START_MS + 1, startupTimeMs=2)
    text = record("1", startupTimeMs=3)
    landing.follow(connection, batch(one, other, text))
    landing.follow(connection, batch(one, other, text, record("1", tenant="other")))
    assert sorted(row["player_startup_ms"] or 0 for row in rows(connection)) == [0, 1, 2, 3]


def test_a_suspect_clock_keeps_its_identity(connection: psycopg.Connection) -> None:
    claimed = -3_001
    suspect = record("7", started_at=START_MS, identity_at=claimed, sent_at=253_402_300_799_999, clock_suspect=True)
    landing.follow(connection, batch(suspect))
    key = SessionKey("acme", "7", claimed)
    assert landing.placements(connection, [key, SessionKey("acme", "8", None)], []).started_at == {key: START_MS}
    # The driver cannot show years beyond 9999, and this test need not.
    (row,) = rows(connection, "SELECT clock_suspect, identity_at, timestamp FROM sessions")
    assert row == {"clock_suspect": True, "identity_at": at(claimed), "timestamp": at(253_402_300_799_999)}


def test_two_hundred_concurrent_sends_are_one_row(database: Database) -> None:
    sends = [record("s", sent_at=START_MS + n, received_at=n, startupTimeMs=n) for n in range(200)]
    neighbours = [record(f"n{n}") for n in range(40)]
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def follow(worker: int) -> None:
        try:
            with database.connect() as connection:
                barrier.wait()
                for number, send in enumerate(sends[worker::8]):
                    others = neighbours if number % 2 else neighbours[::-1]
                    landing.follow(connection, batch(*others, send))
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=follow, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with database.connect() as connection:
        held = [row for row in rows(connection) if row["session_id"] == "s"]
        assert [row["player_startup_ms"] for row in held] == [199]
        assert len(rows(connection)) == 41


sends_of_few_sessions = st.lists(
    st.builds(
        lambda session, sent, received, number: record(
            session[0],
            identity_at=session[1],
            sent_at=sent,
            received_at=received,
            ingest_id=str(uuid.UUID(int=number)),
            startupTimeMs=number % 2**31,
        ),
        st.sampled_from([("a", None), ("1", 1_000), ("1", 2_000)]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(1, 2**64),
    ),
    max_size=12,
    unique_by=lambda send: send["ingest_id"],
)


@given(sends=sends_of_few_sessions, data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_any_split_give_the_newest_sends(
    connection: psycopg.Connection, sends: list[dict[str, Any]], data: st.DataObject
) -> None:
    connection.execute("TRUNCATE sessions, session_keys")
    shuffled = data.draw(
        st.permutations(sends + data.draw(st.lists(st.sampled_from(sends), max_size=4)) if sends else [])
    )
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        landing.follow(connection, batch(*shuffled[:size]))
        shuffled = shuffled[size:]
    newest: dict[tuple[str, int | None], tuple[int, int, str]] = {}
    for send in sends:
        key = (send["session_id"], send["identity_at"])
        newest[key] = max(newest.get(key, (-1, -1, "")), (send["sent_at"], send["received_at"], send["ingest_id"]))
    held = {
        (row["session_id"], row["identity_at"]): (row["payload"]["startupTimeMs"], row["ingest_id"])
        for row in rows(connection)
    }
    assert held == {
        (session, None if identity is None else at(identity)): (uuid.UUID(winner).int % 2**31, uuid.UUID(winner))
        for (session, identity), (_, _, winner) in newest.items()
    }


def test_years_of_history_land_in_a_partition_a_month(connection: psycopg.Connection) -> None:
    days = [date(year, month, 3) for year in range(2005, 2027) for month in range(1, 13)]
    starts = [(day - date(1970, 1, 1)).days * DAY_MS for day in days]
    landing.follow(connection, batch(*(record(f"s{start}", started_at=start) for start in starts)))
    assert rows(connection, "SELECT count(*) AS n FROM ONLY sessions_default") == [{"n": 0}]
    assert rows(connection, "SELECT count(DISTINCT tableoid) AS n FROM sessions") == [{"n": len(days)}]
