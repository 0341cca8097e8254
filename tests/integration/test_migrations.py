"""Migrations: a fresh database, upgraded, is what `warehouse.tables` says."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, create_engine, inspect, text

from tests.integration.landing_records import batch, record
from warehouse import landing, postgres
from warehouse.postgres import Database, open_database
from warehouse.settings import StorageSettings
from warehouse.tables import METADATA

ROOT = Path(__file__).resolve().parents[2]


def check(database: Database) -> None:
    config = Config(toml_file=ROOT / "pyproject.toml")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)


def test_an_upgraded_database_equals_the_tables(database: Database) -> None:
    with database.connect() as connection:
        landing.follow(connection, batch(record("s")))
    check(database)


def test_everything_goes_down_and_up_again(database: Database) -> None:
    config = Config(toml_file=ROOT / "pyproject.toml")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(database.engine).get_table_names() == ["playhead_schema"]
    postgres.upgrade(database.engine)
    check(database)


def test_several_processes_may_migrate_at_once(storage: StorageSettings, server_url: URL) -> None:
    assert storage.database_url is not None
    with psycopg.connect(server_url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.autocommit = True
        connection.execute(f'CREATE DATABASE "{storage.database_url.database}_empty"'.encode())
    engine = create_engine(storage.database_url.set(database=f"{storage.database_url.database}_empty"))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(postgres.upgrade, [engine] * 3))
    assert {"sessions", "session_keys", "out_qoe_daily"} <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_every_table_and_column_is_explained(database: Database) -> None:
    for table in METADATA.tables.values():
        assert table.comment
        assert all(column.comment for column in table.columns)
    with database.engine.connect() as connection:
        silent = connection.execute(
            text(
                """
                SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                    AND relname <> 'playhead_schema' AND attnum > 0 AND col_description(attrelid, attnum) IS NULL
                """
            )
        )
        assert silent.all() == []


def test_the_command_line_reads_the_environment(storage: StorageSettings) -> None:
    assert storage.database_url is not None
    environment = {
        "DATABASE_URL": storage.database_url.set(drivername="postgresql").render_as_string(hide_password=False),
        "PATH": "/usr/bin:/bin",
    }
    command_line = [sys.executable, "-m", "alembic", "current"]
    done = subprocess.run(command_line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "(head)" in done.stdout


def test_opening_again_changes_nothing(storage: StorageSettings) -> None:
    for _ in range(2):
        with open_database(storage) as database, database.connect() as connection:
            landing.follow(connection, batch(record("s")))
            assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
