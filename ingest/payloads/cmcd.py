"""`load --kind cmcd`: one request of a log becomes a landing record.

Where requests stand in a log is found in `warehouse.metrics.cmcd_logs`, what their keys are in `cmcd_keys`.
"""

import hashlib

import msgspec
from uuid_utils import uuid7

from ingest.errors import InvalidSchema
from ingest.payloads.instants import Arrival, milliseconds
from ingest.payloads.listed import Accepted
from warehouse.metrics.cmcd_logs import Request

MAX_SID = 128
MAX_CID = 256


def accept(request: Request, *, log: str, tenant: str, arrival: Arrival) -> Accepted:
    """Return the landing record of a request of the log named `log`. Raises InvalidSchema, naming the key.

    Its time is the log's, else the player's own (`ts`, version 2), else unknown. A log that is loaded again gives the
    same requests: a request is told by the log's name, its line and its keys.
    """
    keys = request.keys
    for name, limit in (("sid", MAX_SID), ("cid", MAX_CID)):
        if len(str(keys.get(name, ""))) > limit:
            raise InvalidSchema(f"{name} must be at most {limit} characters")
    if any("\0" in value for value in (*keys, *keys.values()) if isinstance(value, str)):
        raise InvalidSchema("A key must not contain U+0000")
    payload = msgspec.json.encode(keys, order="sorted")
    request_id = hashlib.sha256(msgspec.json.encode([log, request.line]) + payload).hexdigest()[:32]
    occurred_ms = _occurred_ms(request)
    believed = occurred_ms is not None and arrival.believes(occurred_ms)
    head = {
        "kind": "cmcd",
        "tenant": tenant,
        "ingest_id": str(uuid7()),
        "received_at": arrival.us,
        "session_id": keys.get("sid"),
        "request_id": request_id,
        "number": request.line,
        "occurred_at": occurred_ms if believed else None,
        "body": msgspec.Raw(payload),
    }
    return Accepted(msgspec.json.encode(head), (request_id,))


def _occurred_ms(request: Request) -> int | None:
    if request.at is not None:
        return round(request.at.timestamp() * 1000)
    told = request.keys.get("ts")
    return milliseconds(told, "ts") if isinstance(told, float) else None
