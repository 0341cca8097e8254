"""Backups: the tables that nothing else can give back, and the lake, as plain files in one folder.

Sessions and watches of Postgres are not in it: `rebuild` makes them from the lake. A lake in an object store is backed
up by that store.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Table

from warehouse.datasets import DATASETS
from warehouse.postgres import Database
from warehouse.store import Store
from warehouse.tables import METADATA

BELONGS = "Belongs in backups"
CONTROL, LAKE, MANIFEST = "control", "lake", "backup.json"


class BackupError(RuntimeError):
    """A backup cannot be made or restored; the message says why."""


def control_tables() -> list[Table]:
    """Return the tables that are not derived from anything, those that others refer to first."""
    return [table for table in METADATA.sorted_tables if BELONGS in (table.comment or "")]


def back_up(store: Store, target: Path) -> dict[str, int]:
    """Copy control tables and lake into an empty or new folder; return rows and files by table.

    What landed before must be sealed. Each table of the lake is copied as one snapshot. Raises BackupError, psycopg
    errors and OSError; a folder without `backup.json` is not a whole backup.
    """
    if "://" in store.lake.url:
        raise BackupError(f"The lake lies in {store.lake.url}: back it up with the means of that store.")
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty.")
    (target / CONTROL).mkdir(parents=True, exist_ok=True)
    done = _save_control(store.database, target / CONTROL)
    done |= {name: _save_table(store, name, target / LAKE / name) for name in DATASETS}
    (target / MANIFEST).write_text(json.dumps({"at": store.settings.now().isoformat(), "copied": done}, indent=2))
    return done


def restore(store: Store, source: Path) -> dict[str, int]:
    """Bring a backup into a store that has neither control rows nor a lake; return rows by control table.

    Derived rows of Postgres are made by `rebuild` afterwards. Raises BackupError, psycopg errors and OSError.
    """
    if not (source / MANIFEST).is_file():
        raise BackupError(f"{source} holds no whole backup: {MANIFEST} is missing.")
    if any(store.lake.table(dataset) is not None for dataset in DATASETS.values()):
        raise BackupError(f"{store.lake.url} is not empty.")
    with store.database.connect() as connection, connection.transaction():
        done = {table.name: _load(connection, table, source / CONTROL) for table in control_tables()}
    shutil.copytree(source / LAKE, store.lake.url, dirs_exist_ok=True)
    return done


def _save_control(database: Database, folder: Path) -> dict[str, int]:
    done = {}
    with database.connect() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in control_tables():
            query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(_columns(table), sql.Identifier(table.name))
            with (folder / f"{table.name}.tsv").open("wb") as file, connection.cursor() as cursor:
                with cursor.copy(query) as copy:
                    for data in copy:
                        file.write(data)
                done[table.name] = cursor.rowcount
    return done


def _load(connection: psycopg.Connection, table: Table, folder: Path) -> int:
    name = sql.Identifier(table.name)
    if connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(name)).fetchone() is not None:
        raise BackupError(f"The table {table.name} is not empty.")
    with connection.cursor() as cursor:
        with (
            (folder / f"{table.name}.tsv").open("rb") as file,
            cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, _columns(table))) as copy,
        ):
            while data := file.read(1 << 20):
                copy.write(data)
        return cursor.rowcount


def _columns(table: Table) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)


def _save_table(store: Store, name: str, target: Path) -> int:
    """Copy one snapshot of a table: its files, and its log up to the snapshot's version."""
    table = store.lake.table(DATASETS[name])
    if table is None:
        return 0
    source = Path(store.lake.url) / name
    files = store.lake.paths(DATASETS[name])
    _copy(source, target, files)
    log = [path.relative_to(source) for path in (source / "_delta_log").iterdir() if path.is_file()]
    _copy(source, target, [path for path in log if _version(path) <= table.version()])
    return len(files)


def _version(entry: Path) -> int:
    number = entry.name.split(".", 1)[0]
    return int(number) if number.isdigit() else 0


def _copy(source: Path, target: Path, paths: Iterable[Path | str]) -> None:
    for path in paths:
        copied = target / path
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, copied)
