"""`POST /v1/streams`, `/v1/chat` and `/v1/viewers`: what a live stream sends, and how it becomes landing records.

Explicit nulls are normal for what is optional, unknown keys are kept. How a batch is cut is in `listed`, exports of
viewer series in `viewer_series`; what is counted in them in `warehouse.metrics`.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from uuid_utils import uuid7

from ingest.errors import InvalidSchema
from ingest.payloads import strict
from ingest.payloads.explaining import explain
from ingest.payloads.instants import Arrival, Instant, milliseconds
from ingest.payloads.listed import Accepted

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=1024)]
Emote = Annotated[str, Meta(min_length=1, max_length=128)]

MAX_VIEWERS = 2_147_483_647


class Stream(msgspec.Struct, kw_only=True):
    """What is known of a stream; sent again, the newest holds."""

    stream_id: Id
    title: Text | None = None
    streamer_name: Text | None = None
    game_category: Text | None = None
    started_at: Annotated[Instant | None, Meta(description="Epoch milliseconds or ISO 8601")] = None
    is_live: bool | None = None
    public: Annotated[bool | None, Meta(description="Read without a key")] = None


class Message(msgspec.Struct, kw_only=True):
    """One chat message."""

    message_id: Id
    stream_id: Id
    user_id: Annotated[str, Meta(max_length=128)]
    username: Annotated[str, Meta(max_length=256)] | None = None
    message: Annotated[str, Meta(max_length=4096)]
    emotes: Annotated[list[Emote], Meta(max_length=500, description="One entry a use")] | None = None
    timestamp: Annotated[Instant, Meta(description="Epoch milliseconds or ISO 8601")]


class Sample(msgspec.Struct, kw_only=True):
    """How many viewers a stream had at one time."""

    stream_id: Id
    viewer_count: Annotated[int, Meta(ge=0, le=MAX_VIEWERS)]
    timestamp: Annotated[Instant, Meta(description="Epoch milliseconds or ISO 8601")]


_Item = TypeVar("_Item", Stream, Message, Sample)

EXAMPLES: dict[str, dict[str, Any]] = {
    "stream": {
        "stream_id": "s-1",
        "title": "Speedrun",
        "streamer_name": "ada",
        "game_category": "Platformer",
        "started_at": "2026-02-14T18:00:00Z",
        "is_live": True,
        "public": True,
    },
    "message": {
        "message_id": "m-1",
        "stream_id": "s-1",
        "user_id": "u-17",
        "username": "bob",
        "message": "what a run PogChamp",
        "emotes": ["PogChamp"],
        "timestamp": 1_771_092_000_000,
    },
    "sample": {"stream_id": "s-1", "viewer_count": 1200, "timestamp": 1_771_092_000_000},
}
"""One body or item each, for the OpenAPI document."""


def accept_stream(body: bytes, *, tenant: str, arrival: Arrival) -> Accepted:
    """Validate the description of a stream. Raises InvalidSchema, naming the field."""
    stream = _convert(body, Stream)
    started_ms = None if stream.started_at is None else milliseconds(stream.started_at, "started_at")
    head = {"kind": "stream", "stream_id": stream.stream_id, "started_at": started_ms}
    return Accepted(_record(head, body, tenant, arrival), (stream.stream_id,))


def accept_message(body: bytes, *, tenant: str, arrival: Arrival) -> Accepted:
    """Validate one chat message. Raises InvalidSchema, naming the field."""
    message = _convert(body, Message)
    placed = _placed("sent_at", message.timestamp, arrival)
    head = {"kind": "chat", "stream_id": message.stream_id, "message_id": message.message_id, **placed}
    return Accepted(_record(head, body, tenant, arrival), (message.stream_id, message.message_id))


def accept_sample(body: bytes, *, tenant: str, arrival: Arrival) -> Accepted:
    """Validate one viewer sample. Raises InvalidSchema, naming the field."""
    sample = _convert(body, Sample)
    placed = _placed("sampled_at", sample.timestamp, arrival)
    head = {"kind": "viewers", "stream_id": sample.stream_id, **placed}
    return Accepted(_record(head, body, tenant, arrival), (sample.stream_id, placed["sampled_at"]))


def _convert(body: bytes, kind: type[_Item]) -> _Item:
    try:
        item = msgspec.convert(strict.decode(body), kind)
    except msgspec.ValidationError as error:
        raise InvalidSchema(explain(str(error))) from None
    if not item.stream_id.strip():
        raise InvalidSchema("stream_id must not be blank")
    return item


def _placed(name: str, claimed: Instant, arrival: Arrival) -> dict[str, int]:
    """Return the time of an item, by its arrival where its clock cannot be right."""
    claimed_ms = milliseconds(claimed, "timestamp")
    believed = arrival.believes(claimed_ms)
    return {name: claimed_ms if believed else arrival.ms, "clock_suspect": not believed}


def _record(head: dict[str, Any], body: bytes, tenant: str, arrival: Arrival) -> bytes:
    told = {"tenant": tenant, "ingest_id": str(uuid7()), "received_at": arrival.us, "body": msgspec.Raw(body)}
    return msgspec.json.encode(head | told)
