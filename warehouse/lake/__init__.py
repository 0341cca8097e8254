"""The lake: every table of `warehouse.datasets` as a Delta table, read and written by days.

A thin face of delta-rs: append once, replace or filter days, delete a tenant's rows; reading is in
`warehouse.lake.reading`. What is in the tables is computed in `warehouse.metrics`; which days need it is known to
`warehouse.building.builds`; removed files are cleared away, and small ones put together, in
`warehouse.governance.housekeeping`.
"""

import os
import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from warehouse.datasets import Dataset
from warehouse.lake import durability, writing
from warehouse.lake.deltas import configuration, delta_schema
from warehouse.lake.reading import ATTEMPTS, LakeReader, Query, fingerprints
from warehouse.lake.reading import again as again

_WRITER = WriterProperties(compression="ZSTD")
_T = TypeVar("_T")


class Lake(LakeReader):
    """Tables that are read and written; every change is one commit, tried again when another writer comes between."""

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
            return fingerprints(self._wanted(table, dataset, days))

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

    def settle(self, dataset: Dataset) -> None:
        """Return when the newest commits of the table are on disk."""
        table = self.table(dataset)
        if self._is_local and table is not None:
            durability.sync_commits(Path(self._location(dataset)), table.version())

    def _sync_all(self) -> None:
        if self._is_local:
            os.sync()

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
