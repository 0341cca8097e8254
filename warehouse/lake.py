"""The lake: every table of `warehouse.datasets` as a Delta table, read and written by days.

A thin face of delta-rs: append once, replace or filter days, delete a tenant's rows, and scans over the snapshot's own
files. What is in the tables is computed in `warehouse.metrics`; which days need it is known to `warehouse.builds`;
removed files are cleared away, and small ones put together, in `warehouse.housekeeping`.
"""

import hashlib
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError

from warehouse import durability, writing
from warehouse.datasets import Dataset
from warehouse.deltas import configuration, delta_schema, hive_schema, location

ATTEMPTS = 20
"""How often a commit is tried that meets another writer's."""

_WRITER = WriterProperties(compression="ZSTD")
_T = TypeVar("_T")

Query = Callable[[pl.LazyFrame], pl.LazyFrame]


def _everything(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows


@dataclass(frozen=True)
class _File:
    path: str
    day: date
    rows: int


class Lake:
    """The tables beneath one folder or object-store URL; object stores take their credentials from the environment.

    Safe to use from several threads and processes; nothing is cached, so that every call sees the newest commit.
    """

    def __init__(self, url: str, dimensions: Mapping[str, str]) -> None:
        self.url = location(url)
        self.dimensions = dict(dimensions)

    def schema(self, dataset: Dataset) -> pl.Schema:
        """Return the table's columns as they are read and written here: with the configured dimensions."""
        return dataset.schema(self.dimensions)

    def scan(self, dataset: Dataset, *, days: Iterable[date] | None = None, tenant: str | None = None) -> pl.LazyFrame:
        """Return the rows of these days (all by default) and this tenant (all by default).

        Columns are those of the dataset, in its order; nulls where older files lack one. Empty without a table.
        """
        frame = self._scan(dataset, self._wanted(self.table(dataset), dataset, days))
        return frame if tenant is None else frame.filter(pl.col("tenant") == tenant)

    def snapshot(self, dataset: Dataset, days: Iterable[date] | None = None) -> tuple[pl.DataFrame, dict[date, str]]:
        """Return the rows of these days (all by default), and of each day the fingerprint of just these rows.

        Asks again of the newest snapshot when files of the first one were cleared away meanwhile.
        """
        wanted = None if days is None else list(days)

        def attempt() -> tuple[pl.DataFrame, dict[date, str]]:
            files = self._wanted(self.table(dataset), dataset, wanted)
            return self._scan(dataset, files).collect(), _fingerprints(files)

        return again(attempt)

    def version(self, dataset: Dataset) -> tuple[str, int]:
        """Return where the table lies and its newest version, for engines that read Delta Lake themselves.

        Raises FileNotFoundError where there is no table.
        """
        table = self.table(dataset)
        if table is None:
            raise FileNotFoundError(f"{self._location(dataset)} is no table")
        return self._location(dataset), table.version()

    def _scan(self, dataset: Dataset, files: Sequence[_File]) -> pl.LazyFrame:
        schema = self.schema(dataset)
        if not files:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(
            [f"{self._location(dataset)}/{file.path}" for file in files],
            schema={name: dtype for name, dtype in schema.items() if name != dataset.partition},
            hive_schema=hive_schema(dataset, self.url),
            hive_partitioning=True,
            glob=False,
            missing_columns="insert",
            extra_columns="ignore",
        ).select(schema.names())

    def read(self, dataset: Dataset, query: Query = _everything, *, days: Iterable[date] | None = None) -> pl.DataFrame:
        """Return what the query makes of a scan of these days.

        Asks again of the newest snapshot when files of the scanned one were cleared away meanwhile.
        """
        wanted = None if days is None else list(days)
        return again(lambda: query(self.scan(dataset, days=wanted)).collect(engine="streaming"))

    def append_once(self, dataset: Dataset, frame: pl.DataFrame, *, app_id: str, version: int) -> bool:
        """Append the rows unless this or a later version of the writer `app_id` is in the log; tell whether it did.

        Raises `deltalake.exceptions.DeltaError` and OSError; nothing is appended then.
        """
        conformed = self._conform(dataset, frame)

        def attempt(table: DeltaTable) -> bool:
            recorded = table.transaction_version(app_id)
            if recorded is not None and recorded >= version:
                self._sync_all()  # whoever appended it may have died before it was on disk
                return False
            transaction = CommitProperties(app_transactions=[Transaction(app_id, version)], max_commit_retries=0)
            write_deltalake(
                table,
                conformed,
                mode="append",
                schema_mode="merge",
                writer_properties=_WRITER,
                commit_properties=transaction,
            )
            return True

        with writing.shared(self.url):
            return self._commit(dataset, attempt)

    def replace_days(self, dataset: Dataset, frame: pl.DataFrame, days: Iterable[date]) -> dict[date, str]:
        """Make these days hold exactly these rows, in one commit; return the days' fingerprints.

        Days without rows become empty, and have none.

        Raises ValueError for rows of other days, `deltalake.exceptions.DeltaError` and OSError.
        """
        replaced = sorted(set(days))
        conformed = self._conform(dataset, frame)
        strangers = set(conformed[dataset.partition].unique()) - set(replaced)
        if strangers:
            raise ValueError(f"{dataset.name}: rows of {sorted(strangers)} among those of the replaced days")
        if not replaced:
            return {}
        with writing.shared(self.url):
            return self._replace(dataset, conformed, replaced)

    def _replace(self, dataset: Dataset, rows: pl.DataFrame, days: Sequence[date]) -> dict[date, str]:
        conformed = rows.sort(dataset.partition, *dataset.sorted_by, *dataset.key) if dataset.sorted_by else rows
        listed = ", ".join(f"'{day}'" for day in days)
        predicate = f"{dataset.partition} IN ({listed})"

        def attempt(table: DeltaTable) -> dict[date, str]:
            write_deltalake(
                table,
                conformed,
                mode="overwrite",
                predicate=predicate,
                schema_mode="merge",
                writer_properties=_WRITER,
                commit_properties=CommitProperties(max_commit_retries=0),
            )
            return _fingerprints(self._wanted(table, dataset, days))

        return self._commit(dataset, attempt)

    def filter_days(self, dataset: Dataset, days: Iterable[date], keep: Query) -> dict[date, int]:
        """Keep of these days only the rows that `keep` lets through; return how many went, by day.

        The rows are chosen by reading them, so that the table's log tells of days only. Raises as `replace_days`.
        """
        schema, gone = self.schema(dataset), dict[date, int]()
        with writing.alone(self.url):
            for day in sorted(set(days)):
                scan = self.scan(dataset, days=[day])
                rows = scan.select(pl.len()).collect().item()
                kept = self._conform(dataset, keep(scan).collect())
                if kept.height < rows:
                    self._replace(dataset, kept.select(schema.names()), [day])
                    gone[day] = rows - kept.height
        return gone

    def delete(self, dataset: Dataset, *, tenant: str) -> int:
        """Delete the tenant's rows; return how many they were. Raises DeltaError and OSError.

        Earlier versions of the table still hold them until it is vacuumed.
        """
        if self.table(dataset) is None:
            return 0
        quoted = tenant.replace("'", "''")

        def attempt(table: DeltaTable) -> int:
            commit = CommitProperties(max_commit_retries=0)
            done = table.delete(f"tenant = '{quoted}'", writer_properties=_WRITER, commit_properties=commit)
            return int(done["num_deleted_rows"])

        with writing.shared(self.url):
            return self._commit(dataset, attempt)

    def fingerprints(self, dataset: Dataset) -> dict[date, str]:
        """Return a hash of each day's files: it changes when the day's rows do. Days without rows are left out."""
        return _fingerprints(self._files(self.table(dataset), dataset))

    def row_counts(self, dataset: Dataset) -> dict[date, int]:
        """Return the number of rows of each day that has any, from the table's log."""
        counts: dict[date, int] = {}
        for file in self._files(self.table(dataset), dataset):
            if file.rows:
                counts[file.day] = counts.get(file.day, 0) + file.rows
        return dict(sorted(counts.items()))

    def file_counts(self, dataset: Dataset) -> dict[date, int]:
        """Return the number of files of each day that has any."""
        counts: dict[date, int] = {}
        for file in self._files(self.table(dataset), dataset):
            counts[file.day] = counts.get(file.day, 0) + 1
        return dict(sorted(counts.items()))

    def paths(self, dataset: Dataset) -> list[str]:
        """Return the files of the newest snapshot, relative to the table's folder."""
        return [file.path for file in self._files(self.table(dataset), dataset)]

    def settle(self, dataset: Dataset) -> None:
        """Return when the newest commits of the table are on disk."""
        table = self.table(dataset)
        if self._is_local and table is not None:
            durability.sync_commits(Path(self._location(dataset)), table.version())

    def table(self, dataset: Dataset) -> DeltaTable | None:
        """Return the newest snapshot of the table, None where there is none yet."""
        try:
            return DeltaTable(self._location(dataset))
        except TableNotFoundError:
            return None

    @property
    def _is_local(self) -> bool:
        return "://" not in self.url

    def _sync_all(self) -> None:
        if self._is_local:
            os.sync()

    def _location(self, dataset: Dataset) -> str:
        return f"{self.url.rstrip('/')}/{dataset.name}"

    def _files(self, table: DeltaTable | None, dataset: Dataset) -> list[_File]:
        if table is None:
            return []
        actions = pl.DataFrame(table.get_add_actions(flatten=True))
        day = pl.col(f"partition.{dataset.partition}").cast(pl.String).str.to_date("%Y-%m-%d")
        return [_File(*row) for row in actions.select("path", day, "num_records").iter_rows()]

    def _wanted(self, table: DeltaTable | None, dataset: Dataset, days: Iterable[date] | None) -> list[_File]:
        wanted = None if days is None else set(days)
        return [file for file in self._files(table, dataset) if wanted is None or file.day in wanted]

    def _conform(self, dataset: Dataset, frame: pl.DataFrame) -> pl.DataFrame:
        schema = self.schema(dataset)
        if frame.schema != schema:
            raise ValueError(f"{dataset.name}: rows have {frame.schema}, not {schema}")
        return frame

    def _commit(self, dataset: Dataset, attempt: Callable[[DeltaTable], _T]) -> _T:
        """Run against the newest snapshot until no other writer comes between."""
        for tried in range(1, ATTEMPTS + 1):
            table = self.table(dataset) or self._create(dataset)
            try:
                done = attempt(table)
            except CommitFailedError:
                if tried == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.02 * tried))  # noqa: S311
            else:
                if self._is_local:
                    durability.sync_commits(Path(self._location(dataset)), table.version())
                return done
        raise AssertionError("unreachable")

    def _create(self, dataset: Dataset) -> DeltaTable:
        return DeltaTable.create(
            self._location(dataset),
            delta_schema(dataset, self.dimensions),
            mode="ignore",
            partition_by=dataset.partition,
            name=dataset.name,
            description=dataset.comment,
            configuration=configuration(dataset, self.dimensions),
        )


def again(read: Callable[[], _T]) -> _T:
    """Read until no file that is read has been cleared away since the snapshot was taken."""
    for _ in range(ATTEMPTS - 1):
        try:
            return read()
        except FileNotFoundError:
            continue
    return read()


def _fingerprints(files: Iterable[_File]) -> dict[date, str]:
    names: dict[date, list[str]] = {}
    for file in files:
        if file.rows:
            names.setdefault(file.day, []).append(file.path)
    return {
        day: hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:32] for day, paths in sorted(names.items())
    }
