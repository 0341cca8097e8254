"""Aggregates over Spark Connect: Apache Spark with Delta Lake, or Sail. Needs `playhead[spark]`.

The same definitions run there on the same tables; results come home and are stored as ever.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl

from warehouse.datasets import Dataset
from warehouse.lake import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession


PORT = 15002
"""Spark Connect's own, where a remote names none."""

CONNECT_TIMEOUT_S = 10.0


class SparkError(RuntimeError):
    """Spark cannot be used; the message says why."""


class SparkEngine:
    """Reads one version of a lake's table on the server, where the lake's URL must be readable too."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session

    def scan(self, lake: Lake, dataset: Dataset, days: Sequence[date]) -> "DataFrame":
        """Return the rows of these days in the table's newest version, whatever is committed until they are read."""
        from pyspark.sql.connect import functions

        location, version = lake.version(dataset)
        frame = self._session.read.format("delta").option("versionAsOf", version).load(location)
        return frame.where(functions.col(dataset.partition).isin(list(days)))

    def collect(self, frames: Sequence[Any]) -> list[pl.DataFrame]:
        """Compute frames on the server, one by one."""
        return [self._collect(frame) for frame in frames]

    def _collect(self, frame: Any) -> pl.DataFrame:
        rows = pl.DataFrame(frame.toArrow())
        instants = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Datetime)]
        return rows.with_columns(pl.col(instants).cast(pl.Datetime("us", "UTC")))

    def check(self, rows: Mapping[date, int]) -> None:
        """Take any number of rows: how many a server can hold is its own business."""


@contextmanager
def connected(remote: str) -> Iterator[SparkEngine]:
    """Connect to `sc://HOST:PORT`. Raises SparkError when the client is not installed or nobody answers."""
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise SparkError("Spark's client is not installed: uv sync --extra spark") from error
    _reach(remote)
    try:
        session = SparkSession.builder.remote(remote).getOrCreate()
        # Hours and days are UTC's, wherever the server stands.
        session.conf.set("spark.sql.session.timeZone", "UTC")
    except PySparkException as error:
        raise SparkError(f"{remote}: {error}") from error
    try:
        yield SparkEngine(session)
    finally:
        session.stop()


def _reach(remote: str) -> None:
    """Raise SparkError where nobody listens; the client itself would try again for minutes."""
    address = urlsplit(remote)
    if address.scheme != "sc" or not address.hostname:
        raise SparkError(f"{remote} is no address such as sc://HOST:{PORT}")
    try:
        socket.create_connection((address.hostname, address.port or PORT), CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise SparkError(f"{remote} does not answer: {error}") from error
