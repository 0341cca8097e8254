"""Looks for a text everywhere: every table of every schema, every file of a home, inside compressed tables."""

from pathlib import Path

import polars as pl
import psycopg
from psycopg import sql

from warehouse.store import Store


def files_with(home: Path, text: str) -> list[Path]:
    outside = [path for path in home.rglob("*") if path.is_file() and home / "postgres" not in path.parents]
    return [path for path in outside if text.encode() in path.read_bytes()]


def rows_with(connection: psycopg.Connection, text: str) -> list[str]:
    """Every table of every schema that holds the text."""
    tables = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    found = []
    for schema, table in tables:
        query = sql.SQL("SELECT count(*) FROM {} AS held WHERE position(%s IN held::text) > 0")
        row = connection.execute(query.format(sql.Identifier(schema, table)), (text,)).fetchone()
        if row is not None and row[0]:
            found.append(f"{schema}.{table}")
    return found


def places(store: Store, text: str) -> list[str]:
    """Where the text still is: Postgres, any file, or inside the compressed tables of the lake."""
    with store.database.connect() as connection:
        found = rows_with(connection, text)
    found += [str(path) for path in files_with(store.settings.home, text)]
    for file in Path(store.lake.url).rglob("*.parquet"):
        if text in pl.read_parquet(file).write_ndjson():
            found.append(str(file))
    return found
