"""Publishing: the days of a lake table into the Postgres table of the same name, for SQL users.

What is in the rows is computed in `warehouse.metrics`, the tables are in `warehouse.tables`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import polars as pl
import psycopg
from psycopg import sql

from warehouse.datasets import Dataset
from warehouse.tables import PUBLISHED

ROWS_AT_ONCE = 100_000
"""Rows that are turned into text at a time."""

_LOCK_CLASS = 0x50756253


def publish(
    connection: psycopg.Connection,
    dataset: Dataset,
    frame: pl.DataFrame,
    days: Iterable[date],
    *,
    fingerprints: Mapping[date, str] | None = None,
    before: tuple[pl.DataFrame, Mapping[date, str]] | None = None,
) -> None:
    """Make these days of the published table hold exactly these rows, in one transaction.

    `fingerprints` identify the rows in the lake and are kept beside them. `before` are rows and fingerprints of the
    days as the lake held them until now: of days that were published from exactly these, only rows that differ are
    written. Raises ValueError for rows of other days, KeyError for a dataset that is not published, psycopg errors.
    """
    replaced = sorted(set(days))
    strangers = set(frame["day"].unique()) - set(replaced)
    if strangers:
        raise ValueError(f"{dataset.name}: rows of {sorted(strangers)} among those of the replaced days")
    columns = [column.name for column in PUBLISHED[dataset.name].columns]
    rows = _literal(frame.select(columns))
    with connection.transaction(), connection.cursor() as cursor:
        # Two publishers of one day would each delete before they see the other's rows.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_CLASS, dataset.name))
        held = published(connection, dataset) if before else {}
        known = [day for day in replaced if before and day in before[1] and held.get(day) == before[1][day]]
        others = [day for day in replaced if day not in known]
        cursor.execute(sql.SQL("DELETE FROM {} WHERE day = ANY(%s)").format(_table(dataset)), (others,))
        _copy(cursor, dataset.name, rows.filter(pl.col("day").is_in(others)))
        if before and known:
            _patch(cursor, dataset, *(part.filter(pl.col("day").is_in(known)) for part in (_literal(before[0]), rows)))
        _remember(cursor, dataset, replaced, fingerprints or {})


def published(connection: psycopg.Connection, dataset: Dataset) -> dict[date, str]:
    """Return the fingerprint of the rows that Postgres holds of each day, as they were identified in the lake."""
    rows = connection.execute("SELECT day, fingerprint FROM published_days WHERE dataset = %s", (dataset.name,))
    return dict(rows.fetchall())


def forget(connection: psycopg.Connection, datasets: Iterable[Dataset]) -> None:
    """Let nothing of these count as published, so that publishing writes it whole."""
    names = [dataset.name for dataset in datasets]
    connection.execute("DELETE FROM published_days WHERE dataset = ANY(%s)", (names,))


def _remember(cursor: psycopg.Cursor, dataset: Dataset, days: Sequence[date], fingerprints: Mapping[date, str]) -> None:
    cursor.execute("DELETE FROM published_days WHERE dataset = %s AND day = ANY(%s)", (dataset.name, list(days)))
    cursor.executemany(
        "INSERT INTO published_days (dataset, day, fingerprint) VALUES (%s, %s, %s)",
        [(dataset.name, day, fingerprints[day]) for day in days if day in fingerprints],
    )


def _patch(cursor: psycopg.Cursor, dataset: Dataset, old: pl.DataFrame, new: pl.DataFrame) -> None:
    """Turn the published rows `old` into `new`, writing only what differs."""
    old = old.select(new.columns)
    changed = new.join(old, on=new.columns, how="anti", nulls_equal=True)
    vanished = old.join(new, on=dataset.key, how="anti", nulls_equal=True)
    table, key = _table(dataset), [sql.Identifier(name) for name in dataset.key]
    cursor.execute(sql.SQL("CREATE TEMP TABLE changes (LIKE {}) ON COMMIT DROP").format(table))
    _copy(cursor, "changes", changed)
    measures = [sql.Identifier(name) for name in new.columns if name not in dataset.key]
    assignments = [sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in measures]
    cursor.execute(
        sql.SQL("INSERT INTO {} SELECT * FROM changes ON CONFLICT ({}) DO UPDATE SET {}").format(
            table, sql.SQL(", ").join(key), sql.SQL(", ").join(assignments)
        )
    )
    if not vanished.is_empty():
        cursor.execute("TRUNCATE changes")
        _copy(cursor, "changes", vanished)
        # Rows are compared as text, for a join by IS NOT DISTINCT FROM would look at every pair.
        same = sql.SQL("ROW({})::text = ROW({})::text").format(
            *(_columns(side, dataset.key) for side in ("old", "gone"))
        )
        cursor.execute(
            sql.SQL("DELETE FROM {} AS old USING changes AS gone WHERE old.day = ANY(%s) AND {}").format(table, same),
            (vanished["day"].unique().to_list(),),
        )
    cursor.execute("DROP TABLE changes")


def _literal(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with lists as the text of Postgres' arrays."""
    quoted = pl.element().cast(pl.String).str.replace_all(r'(["\\])', r"\$1")
    lists = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.List)]
    return rows.with_columns(
        pl.when(pl.col(name).list.len() == 0)
        .then(pl.lit("{}"))
        .otherwise(pl.lit('{"') + pl.col(name).list.eval(quoted).list.join('","') + pl.lit('"}'))
        .alias(name)
        for name in lists
    )


def _copy(cursor: psycopg.Cursor, table: str, rows: pl.DataFrame) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    # Texts are quoted and nulls are not, which is how they are told apart.
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(table), columns)) as copy:
        for part in rows.iter_slices(ROWS_AT_ONCE):
            copy.write(part.write_csv(include_header=False, quote_style="non_numeric"))


def _table(dataset: Dataset) -> sql.Identifier:
    return sql.Identifier(dataset.name)


def _columns(alias: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)
