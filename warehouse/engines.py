"""Where aggregates are computed: Polars on this machine by default. Spark is in `warehouse.spark`.

An engine reads a lake's table and brings results home; what is computed between is written once, in
`warehouse.metrics`, for all of them.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import polars as pl

from warehouse.datasets import Dataset
from warehouse.lake import Lake

BYTES_PER_ROW = 1_000
"""Memory that aggregating a session takes at most, with eight dimensions that hardly repeat."""


class OutgrownError(RuntimeError):
    """A day has more rows than this machine can aggregate; the message says what can."""


class Engine(Protocol):
    """Reads the lake's tables as frames of its own kind, and collects frames of that kind."""

    def scan(self, lake: Lake, dataset: Dataset, days: Sequence[date]) -> Any:
        """Return the rows of these days, unread, as a frame that Narwhals knows."""
        ...

    def collect(self, frames: Sequence[Any]) -> list[pl.DataFrame]:
        """Compute frames of this engine, in one go where it can."""
        ...

    def check(self, rows: Mapping[date, int]) -> None:
        """Raise OutgrownError where a day of so many rows is too much for it."""
        ...


class PolarsEngine:
    """Polars' streaming engine: one pass a table, columns projected, memory by the rows of the result."""

    def scan(self, lake: Lake, dataset: Dataset, days: Sequence[date]) -> pl.LazyFrame:
        """Return the rows of these days, unread."""
        return lake.scan(dataset, days=days)

    def collect(self, frames: Sequence[pl.LazyFrame]) -> list[pl.DataFrame]:
        """Compute frames, and once what is common to them."""
        return pl.collect_all(frames, engine="streaming")

    def check(self, rows: Mapping[date, int], available: int | None = None) -> None:
        """Raise OutgrownError where a day's aggregate may need more than `available` bytes, what is free by default."""
        free = available_memory() if available is None else available
        for day, count in rows.items():
            if count * BYTES_PER_ROW > free:
                raise OutgrownError(
                    f"{day} has {count:,} sessions: aggregating them may take {_gb(count * BYTES_PER_ROW)}, and "
                    f"{_gb(free)} are free. Spark can: playhead refresh --engine spark --remote sc://HOST:15002"
                )


POLARS = PolarsEngine()


def available_memory() -> int:
    """Return the bytes of memory that are free or can be freed."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _gb(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
