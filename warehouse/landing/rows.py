"""Frames to and from Postgres, whole at a time: as the rows of a query, or as one JSON parameter of a statement."""

from collections.abc import Mapping, Sequence
from typing import LiteralString

import polars as pl
import psycopg
from psycopg import sql

_SQL_TYPES: dict[type[pl.DataType], LiteralString] = {
    pl.String: "text",
    pl.Int64: "bigint",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamptz",
}
_UUIDS = {"ingest_id"}


def fetch(
    connection: psycopg.Connection,
    query: sql.SQL | sql.Composed,
    params: Mapping[str, object],
    schema: pl.Schema,
) -> pl.DataFrame:
    """Return what a query selects; its columns are those of the schema, in order. Raises psycopg errors."""
    return pl.DataFrame(connection.execute(query, params).fetchall(), schema=schema, orient="row")


def columns(schema: pl.Schema, prefix: LiteralString = "") -> sql.Composed:
    """Return the columns of a table as `fetch` takes them."""
    return sql.SQL(", ").join(
        sql.SQL(prefix) + sql.Identifier(name) + sql.SQL("::text" if name in _UUIDS else "") for name in schema.names()
    )


def recordset(schema: pl.Schema) -> sql.Composed:
    """Return a table of SQL whose rows are the parameter `rows`, made by `parameter`."""
    declared = sql.SQL(", ").join(
        sql.Identifier(name) + sql.SQL(" uuid" if name in _UUIDS else f" {_SQL_TYPES[type(dtype)]}")
        for name, dtype in schema.items()
    )
    return sql.SQL("jsonb_to_recordset(%(rows)s::jsonb) AS given ({})").format(declared)


def parameter(frame: pl.DataFrame) -> dict[str, str]:
    """Return what `recordset` reads."""
    return {"rows": frame.write_json()}


def upsert(
    connection: psycopg.Connection,
    table: LiteralString,
    frame: pl.DataFrame,
    key: Sequence[str],
    updates: LiteralString,
) -> None:
    """Insert the rows; where the key is held already run `updates`, in which the table is `held`."""
    if frame.is_empty():
        return
    names = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL("INSERT INTO {} AS held ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}").format(
        *(sql.Identifier(table), names, names, recordset(frame.schema)),
        *(sql.SQL(", ").join(map(sql.Identifier, key)), sql.SQL(updates)),
    )
    connection.execute(statement, parameter(frame))
