"""Publishing days of a lake table into Postgres."""

import threading
from datetime import date

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.building.publishing import publish
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.postgres import Database

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def histogram(*rows: tuple[date, int, int], tenant: str = "acme") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"day": day, "tenant": tenant, "dimension": "content", "metric": "startup_ms", "bucket": bucket, "n": n}
            for day, bucket, n in rows
        ],
        schema=OUT_QOE_HISTOGRAM_DAILY.schema(),
    )


def held(connection: psycopg.Connection) -> list[tuple[date, int, int]]:
    query = "SELECT day, bucket, n FROM out_qoe_histogram_daily ORDER BY day, bucket"
    return connection.execute(query).fetchall()


def test_published_days_are_replaced_and_others_kept(connection: psycopg.Connection) -> None:
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((MONDAY, 1, 1), (TUESDAY, 2, 2)), [MONDAY, TUESDAY])
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((TUESDAY, -3, 2**40)), [TUESDAY])
    assert held(connection) == [(MONDAY, 1, 1), (TUESDAY, -3, 2**40)]
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram(), [MONDAY])
    assert held(connection) == [(TUESDAY, -3, 2**40)]


def test_every_column_of_a_wide_table_arrives(connection: psycopg.Connection) -> None:
    schema = OUT_QOE_DAILY.schema()
    values: dict[type[pl.DataType], object] = {
        pl.Date: MONDAY,
        pl.String: 'tab\t"quote"\\N',
        pl.Int64: 2**40,
        pl.Float64: 1e-300,
    }
    row = {name: values[type(dtype)] for name, dtype in schema.items()}
    reordered = pl.DataFrame([row], schema=schema).select(sorted(schema.names()))
    publish(connection, OUT_QOE_DAILY, reordered, [MONDAY])
    cursor = connection.execute("SELECT * FROM out_qoe_daily")
    assert cursor.description is not None
    assert cursor.fetchall() == [tuple(row[column.name] for column in cursor.description)]


def test_a_publication_that_fails_changes_nothing(connection: psycopg.Connection) -> None:
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((MONDAY, 1, 1)), [MONDAY])
    with pytest.raises(psycopg.errors.UniqueViolation):
        publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((MONDAY, 5, 5), (MONDAY, 5, 6)), [MONDAY])
    with pytest.raises(ValueError, match="2026, 1, 6"):
        publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((TUESDAY, 5, 5)), [MONDAY])
    with pytest.raises(KeyError, match="core_sessions"):
        publish(connection, CORE_SESSIONS, histogram(), [MONDAY])
    assert held(connection) == [(MONDAY, 1, 1)]


def test_publishers_of_one_day_wait_for_each_other(database: Database) -> None:
    failures: list[BaseException] = []

    def publish_often(number: int) -> None:
        try:
            with database.connect() as connection:
                for _ in range(10):
                    publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((MONDAY, 1, number)), [MONDAY])
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=publish_often, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    with database.connect() as connection:
        assert len(held(connection)) == 1


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(*[st.dictionaries(st.tuples(st.sampled_from([MONDAY, TUESDAY]), st.integers(1, 4)), st.integers(1, 3))] * 2)
def test_publishing_what_differs_equals_publishing_all(connection, old, new) -> None:
    before, after = (
        histogram(*((day, bucket, n) for (day, bucket), n in rows.items())).with_columns(
            value=pl.when(pl.col("bucket") > 2).then(pl.lit("")), content_id=pl.lit('a "b", c')
        )
        for rows in (old, new)
    )
    seen = {MONDAY: "a", TUESDAY: "b"}
    days = [MONDAY, TUESDAY]
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, before, days, fingerprints=seen)
    rows_before = stored(connection)
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, after, days, fingerprints={MONDAY: "c"}, before=(before, seen))
    assert held(connection) == sorted((day, bucket, n) for (day, bucket), n in new.items())
    kept = {key for key in old.keys() & new.keys() if old[key] == new[key]}
    untouched = {key for key, place in stored(connection).items() if rows_before.get(key) == place}
    assert kept <= untouched
    assert connection.execute("SELECT day, fingerprint FROM published_days").fetchall() == [(MONDAY, "c")]


def test_days_published_from_other_rows_are_replaced_whole(connection: psycopg.Connection) -> None:
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, histogram((MONDAY, 1, 9)), [MONDAY], fingerprints={MONDAY: "older"})
    believed = histogram((MONDAY, 2, 2))
    publish(connection, OUT_QOE_HISTOGRAM_DAILY, believed, [MONDAY], before=(believed, {MONDAY: "newer"}))
    assert held(connection) == [(MONDAY, 2, 2)]


def stored(connection: psycopg.Connection) -> dict[tuple[date, int], str]:
    """Where each row lies: a row that was written again lies elsewhere."""
    rows = connection.execute("SELECT day, bucket, ctid::text, xmin::text FROM out_qoe_histogram_daily").fetchall()
    return {(day, bucket): f"{place} {written}" for day, bucket, place, written in rows}
