"""Reading the lake: snapshots of its tables, scans over a snapshot's own files, and what a table's log tells of days.

Writing is in `warehouse.lake`; what is in the tables is computed in `warehouse.metrics`.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from warehouse.datasets import Dataset
from warehouse.lake.deltas import hive_schema, location

ATTEMPTS = 20
"""How often something is tried that meets another writer."""

_T = TypeVar("_T")

Query = Callable[[pl.LazyFrame], pl.LazyFrame]


def _everything(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows


@dataclass(frozen=True)
class File:
    """A file of a snapshot."""

    path: str
    day: date
    rows: int


class LakeReader:
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
            return self._scan(dataset, files).collect(), fingerprints(files)

        return again(attempt)

    def version(self, dataset: Dataset) -> tuple[str, int]:
        """Return where the table lies and its newest version, for engines that read Delta Lake themselves.

        Raises FileNotFoundError where there is no table.
        """
        table = self.table(dataset)
        if table is None:
            raise FileNotFoundError(f"{self._location(dataset)} is no table")
        return self._location(dataset), table.version()

    def _scan(self, dataset: Dataset, files: Sequence[File]) -> pl.LazyFrame:
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

    def fingerprints(self, dataset: Dataset) -> dict[date, str]:
        """Return a hash of each day's files: it changes when the day's rows do. Days without rows are left out."""
        return fingerprints(self._files(self.table(dataset), dataset))

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

    def table(self, dataset: Dataset) -> DeltaTable | None:
        """Return the newest snapshot of the table, None where there is none yet."""
        try:
            return DeltaTable(self._location(dataset))
        except TableNotFoundError:
            return None

    @property
    def _is_local(self) -> bool:
        return "://" not in self.url

    def _location(self, dataset: Dataset) -> str:
        return f"{self.url.rstrip('/')}/{dataset.name}"

    def _files(self, table: DeltaTable | None, dataset: Dataset) -> list[File]:
        if table is None:
            return []
        actions = pl.DataFrame(table.get_add_actions(flatten=True))
        day = pl.col(f"partition.{dataset.partition}").cast(pl.String).str.to_date("%Y-%m-%d")
        return [File(*row) for row in actions.select("path", day, "num_records").iter_rows()]

    def _wanted(self, table: DeltaTable | None, dataset: Dataset, days: Iterable[date] | None) -> list[File]:
        wanted = None if days is None else set(days)
        return [file for file in self._files(table, dataset) if wanted is None or file.day in wanted]


def again(read: Callable[[], _T]) -> _T:
    """Read until no file that is read has been cleared away since the snapshot was taken."""
    for _ in range(ATTEMPTS - 1):
        try:
            return read()
        except FileNotFoundError:
            continue
    return read()


def fingerprints(files: Iterable[File]) -> dict[date, str]:
    """Return a hash of each day's files."""
    names: dict[date, list[str]] = {}
    for file in files:
        if file.rows:
            names.setdefault(file.day, []).append(file.path)
    return {
        day: hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:32] for day, paths in sorted(names.items())
    }
