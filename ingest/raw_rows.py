"""Landing records of every kind as rows of their raw tables: where each goes, and how its row is made.

`KINDS` is the registry. When a segment is appended is decided in `ingest.sealing`; what a record says in
`ingest.payloads`. `received_at` is in microseconds, other instants are in ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import polars as pl
import psycopg

from warehouse import landing
from warehouse.datasets import RAW_SESSIONS
from warehouse.datasets.cmcd import RAW_CMCD
from warehouse.datasets.dataset import Dataset
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.live import RAW_CHAT, RAW_STREAMS, RAW_VIEWERS

_MS = pl.Datetime("ms", "UTC")
_US = pl.Datetime("us", "UTC")


class _Landed(msgspec.Struct, gc=False, tag_field="kind"):
    tenant: str
    ingest_id: str
    received_at: int
    body: msgspec.Raw


class Session(_Landed, gc=False, tag="session"):
    """A session's summary."""

    session_id: str
    identity_at: int | None
    started_at: int
    sent_at: int
    clock_suspect: bool

    @property
    def key(self) -> landing.SessionKey:
        """What identifies the session."""
        return landing.SessionKey(self.tenant, self.session_id, self.identity_at)


class Event(_Landed, gc=False, tag="event"):
    """A player event; `started_at` is where its session lies if nothing of it arrived before."""

    session_id: str
    event_id: str
    occurred_at: int | None
    started_at: int
    clock_suspect: bool

    @property
    def key(self) -> landing.SessionKey:
        """What identifies its session."""
        return landing.SessionKey(self.tenant, self.session_id, None)


class Stream(_Landed, gc=False, tag="stream"):
    """The description of a live stream."""

    stream_id: str
    started_at: int | None


class Message(_Landed, gc=False, tag="chat"):
    """A chat message."""

    stream_id: str
    message_id: str
    sent_at: int
    clock_suspect: bool


class Sample(_Landed, gc=False, tag="viewers"):
    """A sample of a stream's viewers."""

    stream_id: str
    sampled_at: int
    clock_suspect: bool


class CmcdRequest(_Landed, gc=False, tag="cmcd"):
    """A request with CMCD."""

    session_id: str | None
    request_id: str
    number: int
    occurred_at: int | None


Record = Session | Event | Stream | Message | Sample | CmcdRequest
decoder: msgspec.json.Decoder[list[Record]] = msgspec.json.Decoder(list[Record])


@dataclass(frozen=True)
class Kind:
    """A raw table, the fields of its records that are columns of it, and the column that its day is of.

    `placed` kinds lie in the day of their session, as its first arrival told it.
    """

    dataset: Dataset
    fields: tuple[str, ...]
    day_of: tuple[str, ...]
    placed: bool = False

    def frame(self, connection: psycopg.Connection, records: Sequence[Any]) -> pl.DataFrame:
        """Return the raw rows of these records of the kind. Raises psycopg errors."""
        keys = [record.key for record in records] if self.placed else []
        known = landing.placements(connection, keys, [record.ingest_id for record in records])
        columns = {
            "tenant": pl.Series([r.tenant for r in records], dtype=pl.String),
            "ingest_id": pl.Series([r.ingest_id for r in records], dtype=pl.String),
            "received_at": pl.Series([r.received_at for r in records], dtype=pl.Int64).cast(_US),
            "refused": pl.Series([known.refused.get(r.ingest_id) for r in records], dtype=pl.String),
            "payload": pl.Series([bytes(r.body).decode() for r in records], dtype=pl.String),
        }
        schema = self.dataset.schema()
        for name in self.fields:
            values = [getattr(record, name) for record in records]
            columns[name] = _column(values, schema[name])
        if self.placed:
            started = [known.started_at.get(record.key, record.started_at) for record in records]
            columns["started_at"] = _column(started, _US)
        frame = pl.DataFrame(columns)
        day = pl.coalesce(pl.col(name).dt.date() for name in self.day_of)
        return frame.with_columns(day=day).select(schema.names()).cast(schema)


def _column(values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.Datetime):
        return pl.Series(values, dtype=pl.Int64).cast(_MS)
    return pl.Series(values, dtype=dtype)


_EVENT_FIELDS = ("session_id", "event_id", "occurred_at", "clock_suspect")

KINDS: dict[type[Any], Kind] = {
    Session: Kind(
        RAW_SESSIONS, ("session_id", "identity_at", "sent_at", "clock_suspect"), ("started_at",), placed=True
    ),
    Event: Kind(RAW_EVENTS, _EVENT_FIELDS, ("started_at",), placed=True),
    Stream: Kind(RAW_STREAMS, ("stream_id", "started_at"), ("received_at",)),
    Message: Kind(RAW_CHAT, ("stream_id", "message_id", "sent_at", "clock_suspect"), ("sent_at",)),
    Sample: Kind(RAW_VIEWERS, ("stream_id", "sampled_at", "clock_suspect"), ("sampled_at",)),
    CmcdRequest: Kind(RAW_CMCD, ("session_id", "request_id", "number", "occurred_at"), ("occurred_at", "received_at")),
}
"""The kinds of records, sessions first."""
