"""Small frames of sessions for the tests of metrics: raw rows from payloads, core rows from columns."""

import itertools
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from warehouse.datasets import CORE_SESSIONS, RAW_SESSIONS
from warehouse.metrics.outcomes import outcome

DAY = date(2026, 3, 1)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)

_COUNTER = itertools.count()


def raw_row(payload: Mapping[str, Any] | str | None, **columns: Any) -> dict[str, Any]:
    number = next(_COUNTER)
    return {
        "day": DAY,
        "tenant": "t",
        "ingest_id": f"{number:08d}",
        "received_at": START,
        "session_id": f"s{number}",
        "identity_at": None,
        "started_at": START,
        "sent_at": START,
        "clock_suspect": False,
        "refused": None,
        "payload": json.dumps(payload) if isinstance(payload, Mapping) else payload,
    } | columns


def raw_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=RAW_SESSIONS.schema(), orient="row")


def core_frame(rows: Iterable[Mapping[str, Any]], dimensions: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Core rows of the given columns; every other measure is null, and the outcome follows from them."""
    given = {"day": DAY, "tenant": "t", "clock_suspect": False}
    frame = pl.DataFrame([given | dict(row) for row in rows], schema=CORE_SESSIONS.schema(dimensions), orient="row")
    return frame.with_columns(outcome=outcome())
