"""Small frames of live streams and player events for the tests of metrics: rows from what matters of them."""

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from warehouse.datasets.events import CORE_EVENTS
from warehouse.datasets.live import CORE_CHAT, CORE_VIEWERS

DAY = date(2026, 3, 1)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)

_COUNTER = itertools.count()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def chat_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Chat rows of the given columns, `s` seconds after START."""
    return _frame(rows, CORE_CHAT.schema(), "sent_at", {"emotes": [], "message": "", "user_id": "u"})


def viewers_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Viewer samples of the given columns, `s` seconds after START."""
    return _frame(rows, CORE_VIEWERS.schema(), "sampled_at", {})


def events_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Core events of the given columns, `s` seconds after START; null where `s` is None."""
    given = {"session_id": "s1", "content_id": "c1", "user_id": "u1", "received_at": at(9_000)}
    return _frame(rows, CORE_EVENTS.schema(), "occurred_at", given)


def _frame(rows: Iterable[Mapping[str, Any]], schema: pl.Schema, time: str, given: Mapping[str, Any]) -> pl.DataFrame:
    made = []
    for row in rows:
        number = f"{next(_COUNTER):08d}"
        ids = dict.fromkeys(("message_id", "event_id", "ingest_id"), number)
        base = {"day": DAY, "tenant": "t", "stream_id": "x", "clock_suspect": False, **ids, **given}
        seconds = row.get("s", 0)
        made.append({**base, time: None if seconds is None else at(seconds), **row})
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in made], schema=schema, orient="row")
