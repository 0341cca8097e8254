"""Publishing: the days of a lake table into the Postgres table of the same name, for SQL users.

What is in the rows is computed in `warehouse.metrics`, the tables are in `warehouse.tables`.
"""

from collections.abc import Iterable
from datetime import date

import polars as pl
import psycopg
from psycopg import sql

from warehouse.datasets import Dataset
from warehouse.tables import PUBLISHED

_LOCK_CLASS = 0x50756253


def publish(connection: psycopg.Connection, dataset: Dataset, frame: pl.DataFrame, days: Iterable[date]) -> None:
    """Make these days of the published table hold exactly these rows, in one transaction.

    Raises ValueError for rows of other days, KeyError for a dataset that is not published, and psycopg errors.
    """
    replaced = sorted(set(days))
    strangers = set(frame["day"].unique()) - set(replaced)
    if strangers:
        raise ValueError(f"{dataset.name}: rows of {sorted(strangers)} among those of the replaced days")
    names = [column.name for column in PUBLISHED[dataset.name].columns]
    table = sql.Identifier(dataset.name)
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    with connection.transaction(), connection.cursor() as cursor:
        # Two publishers of one day would each delete before they see the other's rows.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_CLASS, dataset.name))
        cursor.execute(sql.SQL("DELETE FROM {} WHERE day = ANY(%s)").format(table), (replaced,))
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, columns)) as copy:
            for row in frame.select(names).iter_rows():
                copy.write_row(row)
