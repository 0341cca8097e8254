"""`POST /v1/sessions`: the two shapes of a session payload, and how one becomes a landing record.

The SDK's shape has `sessionStartDateIso`; the legacy shape is placed by its `timestamp`. Both may carry every field,
explicit nulls are normal, unknown fields are kept. What any JSON body must keep is in `strict`; what the fields mean
is in `warehouse.metrics.sessions`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from uuid_utils import uuid7

from ingest.errors import InvalidSchema
from ingest.payloads import strict

MAX_INT = 2_147_483_647
MAX_TIMESTAMP = 253_402_300_799_999
"""The last millisecond of the year 9999."""

EARLIEST_START_MS = 1_104_537_600_000
"""2005-01-01: no player claims an earlier start with a right clock."""

AHEAD_MS = 86_400_000
"""How far a claimed start may lie ahead of arrival before the clock is suspect."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Id = Annotated[str, Meta(max_length=128)]
NumericId = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Amount = Annotated[int, Meta(ge=0, le=MAX_INT)]
Duration = Annotated[int, Meta(gt=0, le=MAX_INT)]
Timestamp = Annotated[int, Meta(gt=0, le=MAX_TIMESTAMP, description="Epoch milliseconds")]


class _Session(msgspec.Struct, rename="camel", kw_only=True):
    session_id: Annotated[
        Id | NumericId, Meta(description="Unique per tenant; whole numbers of old SDKs count from 1 on every device")
    ]
    content_id: Annotated[str, Meta(max_length=256)] | None = None
    stream_type: Annotated[str, Meta(max_length=16, description="dash, hls, progressive, …")] | None = None
    user_id: Id | None = None
    device_id: Id | None = None
    startup_time_ms: Annotated[Amount | None, Meta(description="Play request to first frame")] = None
    player_startup_ms: Annotated[Amount | None, Meta(description="The legacy name of startupTimeMs")] = None
    play_time_ms: Amount | None = None
    rebuffer_time_ms: Amount | None = None
    rebuffer_count: Amount | None = None
    rebuffer_ratio: Annotated[float, Meta(ge=0, le=1)] | None = None
    total_dropped_frames: Amount | None = None
    total_seek_count: Amount | None = None
    total_seek_time_ms: Amount | None = None
    mean_video_format_bitrate: Annotated[int, Meta(ge=-1, le=MAX_INT, description="bit/s; -1 where unknown")] | None = (
        None
    )
    error_count: Annotated[Amount | None, Meta(description="Fatal errors")] = None


class SdkSession(_Session, kw_only=True, rename="camel"):
    """A session summary as the SDK sends it; unknown fields are kept."""

    session_start_date_iso: Annotated[str, Meta(description="ISO 8601; without offset it is UTC")]
    session_duration_ms: Duration
    timestamp: Timestamp | None = None


class LegacySession(_Session, kw_only=True, rename="camel"):
    """A session summary in the backend's older shape; unknown fields are kept."""

    timestamp: Timestamp
    session_duration_ms: Duration | None = None
    payload: Annotated[str | None, Meta(description="Whatever the app adds, a JSON string")] = None


EXAMPLES: dict[str, dict[str, Any]] = {
    "SDK": {
        "sessionId": "5f0c8a52-1f0e-4c5e-9a51-6a1c9b1d2e3f",
        "sessionStartDateIso": "2026-02-14T10:30:00.000Z",
        "sessionDurationMs": 45_000,
        "startupTimeMs": 450,
        "rebufferTimeMs": 1_200,
        "rebufferCount": 2,
        "playTimeMs": 42_000,
        "rebufferRatio": 0.028,
        "totalDroppedFrames": 12,
        "totalSeekCount": 1,
        "totalSeekTimeMs": 300,
        "meanVideoFormatBitrate": 2_500_000,
        "errorCount": 0,
    },
    "legacy": {
        "sessionId": "sess_12345",
        "timestamp": 1_698_402_000_000,
        "contentId": "media_xyz",
        "streamType": "dash",
        "playerStartupMs": 1_200,
        "rebufferTimeMs": 0,
        "rebufferCount": 0,
        "errorCount": 0,
        "payload": '{"custom_event":"started"}',
    },
}
"""One body of each shape, for the OpenAPI document."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted payload: the landing record (a JSON object) and what identifies the session within its tenant."""

    record: bytes
    session_id: str | int
    """As it was sent."""
    identity_at: int | None
    """Epoch milliseconds for a numeric id, else None."""


def accept(body: bytes, *, tenant: str, now: datetime) -> Accepted:
    """Validate one body and make it a landing record that carries it byte for byte.

    `now` is the arrival. Raises InvalidSchema, naming the field.
    """
    plain = strict.decode(body)
    session = _convert(plain)
    start_us, sent_ms = _times(session)
    start_ms = start_us // 1000
    received_us = (now - _EPOCH) // _MICROSECOND
    suspect = start_ms < EARLIEST_START_MS or start_ms > received_us // 1000 + AHEAD_MS
    session_id = session.session_id
    numeric = type(session_id) is int
    head = (
        f'{{"kind":"session","tenant":{_quoted(tenant)},"ingest_id":"{uuid7()}","received_at":{received_us},'
        f'"session_id":{_quoted(str(session_id))},"identity_at":{start_ms if numeric else "null"},'
        f'"started_at":{received_us // 1000 if suspect else start_ms},"sent_at":{sent_ms},'
        f'"clock_suspect":{"true" if suspect else "false"},"body":'
    )
    return Accepted(b"".join((head.encode(), body, b"}")), session_id, start_ms if numeric else None)


def schema() -> dict[str, Any]:
    """Return the JSON schema of a body, for the OpenAPI document."""
    _, components = msgspec.json.schema_components((SdkSession, LegacySession))
    return {"anyOf": [components["SdkSession"], components["LegacySession"]]}


def _convert(plain: dict[str, Any]) -> SdkSession | LegacySession:
    session: SdkSession | LegacySession
    try:
        if plain.get("sessionStartDateIso") is None:
            session = msgspec.convert(plain, LegacySession)
        else:
            session = msgspec.convert(plain, SdkSession)
    except msgspec.ValidationError as error:
        raise InvalidSchema(_explain(plain, str(error))) from None
    if type(session.session_id) is str and not session.session_id.strip():
        raise InvalidSchema("sessionId must not be blank")
    return session


def _times(session: SdkSession | LegacySession) -> tuple[int, int]:
    """Return the claimed start (epoch microseconds) and when the payload says it was sent (epoch milliseconds)."""
    if isinstance(session, LegacySession):
        return session.timestamp * 1000, session.timestamp
    start = _instant(session.session_start_date_iso)
    return start, session.timestamp or start // 1000 + session.session_duration_ms


def _instant(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        reason = "must be an ISO 8601 date and time" if text.strip() else "must not be blank"
        raise InvalidSchema(f"sessionStartDateIso {reason}") from None


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


_REQUIRED = ("sessionId", "sessionStartDateIso", "sessionDurationMs", "timestamp")
_PROBLEM = re.compile(r"Expected `(?P<type>[^`]*)`(?P<bound>[^,]*?)(?:, got `.*`)? - at `\$\.(?P<field>\w+)`")
_TYPES = {"int": "a whole number", "str": "a string", "float": "a number", "int | str": "a string or a whole number"}


def _explain(plain: dict[str, Any], problem: str) -> str:
    """Put msgspec's words into the sender's."""
    missing = re.fullmatch(r"Object missing required field `(\w+)`", problem)
    found = _PROBLEM.fullmatch(problem)
    if missing is not None:
        name = missing[1]
        if name == "timestamp" and plain.get("sessionDurationMs") is not None:
            name = "sessionStartDateIso"
        return f"Missing required field: {name}"
    if found is None:
        return problem
    name, bound = found["field"], found["bound"].strip()
    if plain.get(name) is None and name in _REQUIRED:
        return f"Missing required field: {name}"
    if name == "sessionId" and plain[name] == "":
        return "sessionId must not be blank"
    if bound.startswith("of length <="):
        return f"{name} must be at most {bound.split()[-1]} characters"
    if bound == ">= 1":
        return f"{name} must be > 0"
    if bound:
        return f"{name} must be {bound}"
    return f"{name} must be {_TYPES.get(found['type'].removesuffix(' | null'), found['type'])}"
