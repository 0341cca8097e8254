"""`POST /analytics/events`: one player event, and how it becomes a landing record.

Explicit nulls are normal, unknown keys are kept. What any JSON body must keep is in `strict`; how a batch is cut in
`listed`; what events mean in `warehouse.metrics.playback`. Other players' beacons become such events in `epas`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from uuid_utils import uuid7

from ingest.errors import InvalidSchema
from ingest.payloads import strict
from ingest.payloads.explaining import explain
from ingest.payloads.instants import Arrival, Instant, milliseconds
from ingest.payloads.listed import Accepted
from ingest.payloads.session import MAX_INT
from warehouse.datasets.events import EventType

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Seconds = Annotated[float, Meta(ge=0, le=1e10)]
Amount = Annotated[float, Meta(ge=0, le=MAX_INT)]


class EventData(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an event may carry; each type has its own keys, `position` and `duration` belong to all."""

    position: Annotated[Seconds | None, Meta(description="Position in the content, seconds")] = None
    duration: Annotated[Seconds | None, Meta(description="Length of the content, seconds")] = None
    live: Annotated[bool | None, Meta(description="load: the content is a live stream")] = None
    startup_ms: Annotated[Amount | None, Meta(description="ready: play request to first frame")] = None
    from_: Annotated[Seconds | None, Meta(description="seek: position left, seconds")] = msgspec.field(
        default=None, name="from"
    )
    to: Annotated[Seconds | None, Meta(description="seek: position gone to, seconds")] = None
    phase: Annotated[
        Literal["start", "end"] | None, Meta(description="seek: its begin or its end, where two events tell of it")
    ] = None
    bitrate_bps: Annotated[Amount | None, Meta(description="quality_change, heartbeat: video bitrate, bit/s")] = None
    width: Annotated[Amount | None, Meta(description="quality_change: pixels")] = None
    height: Annotated[Amount | None, Meta(description="quality_change: pixels")] = None
    count: Annotated[Amount | None, Meta(description="dropped_frames: since the last such event")] = None
    playing: Annotated[bool | None, Meta(description="heartbeat: playback is running")] = None
    code: Annotated[str, Meta(max_length=128)] | int | None = None
    message: Annotated[str, Meta(max_length=4096)] | None = None
    fatal: Annotated[bool | None, Meta(description="error: it ended playback; true where not sent")] = None
    kind: Annotated[Literal["technical", "business"] | None, Meta(description="error: technical where not sent")] = None


class Event(msgspec.Struct, rename="camel", kw_only=True):
    """One player event; unknown fields are kept."""

    event_id: Id
    session_id: Id
    video_id: Annotated[str, Meta(min_length=1, max_length=256)]
    user_id: Annotated[str, Meta(max_length=128)] | None = None
    type: EventType
    timestamp: Annotated[Instant, Meta(description="Epoch milliseconds or ISO 8601; without offset it is UTC")]
    data: EventData | None = None


EXAMPLE: dict[str, Any] = {
    "eventId": "7d1f",
    "sessionId": "5f0c8a52",
    "videoId": "big-buck-bunny",
    "userId": "viewer-17",
    "type": "seek",
    "timestamp": 1_771_065_000_000,
    "data": {"from": 12.5, "to": 90},
}
"""One event, for the OpenAPI document."""


def accept(body: bytes, *, tenant: str, arrival: Arrival) -> Accepted:
    """Validate one event and make it a landing record that carries it byte for byte. Raises InvalidSchema."""
    try:
        event = msgspec.convert(strict.decode(body), Event)
    except msgspec.ValidationError as error:
        raise InvalidSchema(explain(str(error))) from None
    for name, value in (("eventId", event.event_id), ("sessionId", event.session_id), ("videoId", event.video_id)):
        if not value.strip():
            raise InvalidSchema(f"{name} must not be blank")
    occurred_ms = milliseconds(event.timestamp, "timestamp")
    record = landed(body, event.session_id, event.event_id, occurred_ms, tenant=tenant, arrival=arrival)
    return Accepted(record, (event.session_id, event.event_id))


def landed(
    body: bytes, session_id: str, event_id: str, occurred_ms: int | None, *, tenant: str, arrival: Arrival
) -> bytes:
    """Return the landing record of an event; `occurred_ms` is None where the sender does not know the time.

    `started_at` is where the session lies if this is its first arrival.
    """
    believed = occurred_ms is not None and arrival.believes(occurred_ms)
    head = {
        "kind": "event",
        "tenant": tenant,
        "ingest_id": str(uuid7()),
        "received_at": arrival.us,
        "session_id": session_id,
        "event_id": event_id,
        "occurred_at": occurred_ms,
        "started_at": occurred_ms if believed else arrival.ms,
        "clock_suspect": occurred_ms is not None and not believed,
        "body": msgspec.Raw(body),
    }
    return msgspec.json.encode(head)
