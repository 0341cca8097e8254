"""`POST /v1/epas`: beacons of Eyevinn's Player Analytics Specification 0.2, as player events of our own.

A beacon holds to the specification's schema; where that forbids fields of a payload that its text allows, the text
wins. Playhead and duration are milliseconds, bitrates kbit/s, and -1 is unknown. A beacon without a known time has no
place in the order of its session, which then lies where its first timed event or its arrival puts it. The adapter
looks at one beacon at a time: beacons have no ids, so equal beacons are one event.
"""

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ingest.errors import InvalidSchema
from ingest.payloads import strict
from ingest.payloads.events import EventData, landed
from ingest.payloads.explaining import explain
from ingest.payloads.instants import Arrival, milliseconds
from ingest.payloads.listed import Accepted

UNKNOWN = -1


class Beacon(msgspec.Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """What every beacon has."""

    event: Literal[
        "init",
        "metadata",
        "heartbeat",
        "loading",
        "loaded",
        "playing",
        "paused",
        "buffering",
        "buffered",
        "seeking",
        "seeked",
        "bitrate_changed",
        "stopped",
        "error",
        "warning",
    ]
    session_id: Annotated[str, Meta(min_length=1, max_length=128)]
    timestamp: Annotated[float, Meta(description="Epoch milliseconds; -1 is unknown")]
    playhead: Annotated[float, Meta(description="Milliseconds; -1 is unknown")]
    duration: Annotated[float, Meta(description="Milliseconds; -1 is unknown")]
    payload: dict[str, Any] | None = None


class Metadata(msgspec.Struct, rename="camel"):
    """The payload of `metadata`; empty texts are not known."""

    live: bool | None = None
    content_title: str = ""
    content_id: Annotated[str, Meta(max_length=256)] = ""
    content_url: str = ""
    drm_type: str = ""
    user_id: Annotated[str, Meta(max_length=128)] = ""
    device_id: str = ""
    device_model: str = ""
    device_type: str = ""


class Bitrates(msgspec.Struct, rename="camel"):
    """The payload of `bitrate_changed`, kbit/s and pixels."""

    bitrate: float
    width: float | None = None
    height: float | None = None
    video_bitrate: float | None = None
    audio_bitrate: float | None = None


class Stop(msgspec.Struct):
    """The payload of `stopped`: ended, aborted, error, …"""

    reason: str


class Problem(msgspec.Struct):
    """The payload of `error` and `warning`."""

    code: Annotated[str, Meta(max_length=128)]
    category: str | None = None
    message: Annotated[str, Meta(max_length=4096)] | None = None
    data: dict[str, Any] | None = None


_PAYLOADS: dict[str, type[Metadata | Bitrates | Stop | Problem]] = {
    "metadata": Metadata,
    "bitrate_changed": Bitrates,
    "stopped": Stop,
    "error": Problem,
    "warning": Problem,
}

_TYPES: dict[str, str] = {
    "init": "load",
    "metadata": "load",
    "loading": "load",
    "loaded": "ready",
    "playing": "play",
    "paused": "pause",
    "buffering": "buffer_start",
    "buffered": "buffer_end",
    "seeking": "seek",
    "seeked": "seek",
    "bitrate_changed": "quality_change",
    "stopped": "pause",
    "heartbeat": "heartbeat",
    "error": "error",
    "warning": "error",
}


def accept(body: bytes, *, tenant: str, arrival: Arrival) -> Accepted:
    """Validate one beacon and make it the landing record of an event. Raises InvalidSchema, naming the field.

    The event's body is ours, with the beacon under `epas`.
    """
    plain = strict.decode(body)
    beacon, payload = _validated(plain)
    occurred_ms = None if beacon.timestamp == UNKNOWN else milliseconds(beacon.timestamp, "timestamp")
    if isinstance(payload, Metadata):
        occurred_ms = None  # what it tells holds for the whole session, whenever it is sent
    event_id = "epas-" + hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:32]
    event = {
        "eventId": event_id,
        "sessionId": beacon.session_id,
        "videoId": (payload.content_id or None) if isinstance(payload, Metadata) else None,
        "userId": (payload.user_id or None) if isinstance(payload, Metadata) else None,
        "type": _type(beacon, payload),
        "timestamp": occurred_ms,
        "data": _data(beacon, payload),
        "epas": msgspec.Raw(body),
    }
    encoded = msgspec.json.encode(event)
    record = landed(encoded, beacon.session_id, event_id, occurred_ms, tenant=tenant, arrival=arrival)
    return Accepted(record, (beacon.session_id, event_id))


def _validated(plain: dict[str, Any]) -> tuple[Beacon, Metadata | Bitrates | Stop | Problem | None]:
    parent = ""
    try:
        beacon = msgspec.convert(plain, Beacon)
        kind = _PAYLOADS.get(beacon.event)
        if kind is None:
            return beacon, None
        if beacon.payload is None:
            raise InvalidSchema("Missing required field: payload")
        parent = "payload"
        return beacon, msgspec.convert(beacon.payload, kind)
    except msgspec.ValidationError as error:
        raise InvalidSchema(explain(str(error), parent)) from None


def _type(beacon: Beacon, payload: object) -> str:
    ended = isinstance(payload, Stop) and payload.reason == "ended"
    return "complete" if ended else _TYPES[beacon.event]


def _data(beacon: Beacon, payload: object) -> EventData:
    at = _seconds(beacon.playhead)
    data = EventData(position=at, duration=_seconds(beacon.duration))
    match beacon.event:
        case "seeking":
            data.from_, data.phase = at, "start"
        case "seeked":
            data.to, data.phase = at, "end"
    match payload:
        case Metadata():
            data.live = payload.live
        case Bitrates():
            data.bitrate_bps = payload.bitrate * 1000
            data.width, data.height = payload.width, payload.height
        case Problem():
            data.code, data.message, data.fatal = payload.code, payload.message, beacon.event == "error"
    return data


def _seconds(value_ms: float) -> float | None:
    return value_ms / 1000 if value_ms >= 0 else None
