"""Small frames of watches for the tests of progress: as synced, before they have a local day."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from warehouse.datasets.watches import CORE_WATCHES
from warehouse.metrics import progress_daily, watches
from warehouse.metrics.progress import Progress, from_watches

AUCKLAND = ZoneInfo("Pacific/Auckland")
NOW = datetime(2026, 3, 18, 1, 30, tzinfo=UTC)
"""A Wednesday, 14:30 in Auckland."""


def watch(kind: str, item: str, at: datetime = NOW, **columns: Any) -> dict[str, Any]:
    return {
        "tenant": "t",
        "user_id": "alice",
        "kind": kind,
        "item": item,
        "watched_at": at.astimezone(UTC),
        "received_at": at.astimezone(UTC),
        "ingest_id": "0",
        "enrichment": "pending",
        "confidence": "synced",
    } | columns


def episode(folder: str, item: str, at: datetime = NOW, **columns: Any) -> dict[str, Any]:
    return watch("episode", item, at, folder=folder, **columns)


def minutes(count: float, at: datetime = NOW, item: str = "") -> dict[str, Any]:
    """A video of so many minutes; ids follow from the instant."""
    return watch("youtube", item or f"{at.timestamp()}", at, duration_s=int(count * 60), enrichment="found")


def frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=CORE_WATCHES.schema(), orient="row")


def core(rows: Iterable[Mapping[str, Any]], zones: Mapping[tuple[str, str], str] | None = None) -> pl.DataFrame:
    return watches.place(frame(rows), zones or {}, AUCKLAND.key)


def daily(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return progress_daily.aggregate(core(rows))


def progress_at(now: datetime, *rows: Mapping[str, Any], zone: ZoneInfo = AUCKLAND) -> Progress:
    return from_watches(frame(rows), now=now, zone=zone)
