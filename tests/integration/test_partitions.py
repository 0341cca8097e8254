"""Monthly partitions: ahead of time, on demand, concurrently, and out of the default one."""

import threading
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from tests.integration.landing_records import DAY_MS, START_MS, batch, record
from warehouse import landing
from warehouse.landing import partitions
from warehouse.postgres import Database, open_database
from warehouse.settings import StorageSettings


def existing(connection: psycopg.Connection) -> set[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sessions'::regclass"
    return {name for (name,) in connection.execute(query)}


def test_an_opened_database_has_this_month_and_the_next_two(storage: StorageSettings) -> None:
    fixed = StorageSettings(
        home=storage.home,
        lake_url=storage.lake_url,
        database_url=storage.database_url,
        pool_min=1,
        fixed_now=datetime(2026, 11, 30, 23, tzinfo=UTC),
    )
    with open_database(fixed) as database, database.connect() as connection:
        assert existing(connection) == {"sessions_default", "sessions_2026_11", "sessions_2026_12", "sessions_2027_01"}


def test_rows_move_out_of_the_default_partition(connection: psycopg.Connection) -> None:
    landing.follow(connection, batch(record("s", startupTimeMs=1)))
    connection.execute("DROP TABLE sessions_2026_01")
    connection.execute(
        """
        INSERT INTO sessions (tenant, session_id, started_at, timestamp, clock_suspect, created_at, ingest_id)
        SELECT 'acme', 's' || n, '2025-12-31 00:00Z'::timestamptz + n * interval '12 hours', now(), false, now(),
            gen_random_uuid()
        FROM generate_series(0, 70) AS n
        """
    )
    assert connection.execute("SELECT count(*) FROM sessions_default").fetchone() == (71,)
    with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as other:
        partitions.ensure(other, [date(2026, 1, 15)])
    assert connection.execute("SELECT count(*) FROM sessions_2026_01").fetchone() == (62,)
    assert connection.execute("SELECT count(*) FROM sessions_default").fetchone() == (9,)
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    assert connection.execute(indexes, ("sessions_2026_01",)).fetchone() == (6,)


def test_several_workers_make_the_same_months_while_rows_land(database: Database) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(6)

    def land(worker: int) -> None:
        try:
            with database.connect() as connection:
                barrier.wait()
                for month in range(12):
                    start = START_MS - (30 * month + 400) * DAY_MS
                    landing.follow(
                        connection, batch(*(record(f"{worker}-{month}-{n}", started_at=start) for n in range(5)))
                    )
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=land, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (6 * 12 * 5,)
        assert connection.execute("SELECT count(*) FROM sessions_default").fetchone() == (0,)


def test_months_before_2005_stay_in_the_default_partition(connection: psycopg.Connection) -> None:
    before = existing(connection)
    partitions.ensure(connection, [date(1970, 1, 1), date(2004, 12, 31)])
    assert existing(connection) == before


@pytest.mark.parametrize(
    ("today", "months"),
    [
        (date(2026, 1, 31), [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]),
        (date(2026, 11, 1), [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]),
    ],
)
def test_months_ahead(today: date, months: list[date]) -> None:
    assert list(partitions.ahead(today)) == months
    assert partitions.is_partition(f"sessions_{today:%Y_%m}")
    assert not partitions.is_partition("sessions_by_day")


def test_an_edge_of_a_month_belongs_to_one_partition(connection: psycopg.Connection) -> None:
    midnight = datetime(2026, 2, 1, tzinfo=UTC)
    for name, moment in (("last", midnight - timedelta(milliseconds=1)), ("first", midnight)):
        landing.follow(connection, batch(record(name, started_at=int(moment.timestamp() * 1000))))
    placed = connection.execute("SELECT session_id, tableoid::regclass::text FROM sessions").fetchall()
    assert dict(placed) == {"last": "sessions_2026_01", "first": "sessions_2026_02"}
