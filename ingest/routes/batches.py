"""`POST /v1/sessions/batch`: many sessions in one body."""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.openapi.spec import Operation

from ingest import bodies
from ingest.errors import Overloaded
from ingest.guards import LAND, require
from ingest.payloads import batch, session
from ingest.routes.openapi import SECURITY, failures, with_answer
from warehouse.access.keys import KeyRecord

BODY_LIMIT = 32 << 20
"""Most bytes of a body, as sent and inflated."""

MAX_IN_HAND = 8
"""Bodies that may be read and judged at the same time, which bounds the memory that they take."""

AT_ONCE = 50
"""Sessions that are judged before other requests get their turn: about a millisecond."""


class BatchLanded(msgspec.Struct):
    """The accepted sessions are on disk."""

    accepted: int
    """Sessions that were kept, repeats included."""
    duplicates: int
    """Those among them that repeat a session of the same body; the newest wins."""
    rejected: list[batch.Rejected]
    """Those that were not kept."""


@dataclass
class _BatchOperation(Operation):
    def to_schema(self) -> dict[str, Any]:
        examples = [example | {"sessionId": f"sess-{name}"} for name, example in session.EXAMPLES.items()]
        ndjson = "\n".join(msgspec.json.encode(example).decode() for example in examples)
        content = {
            bodies.NDJSON: {
                "schema": {"type": "string", "description": "One session a line; each as in POST /v1/sessions"},
                "examples": {"two sessions": {"value": ndjson}},
            },
            bodies.JSON: {"schema": batch.schema(), "examples": {"two sessions": {"value": examples}}},
        }
        refused = {"index": 2, "code": "INVALID_SCHEMA", "message": "Missing required field: sessionId"}
        answer = {"accepted": 2, "duplicates": 0, "rejected": [refused]}
        schema = with_answer(super().to_schema(), "The accepted sessions are on disk", answer)
        return schema | {"requestBody": {"required": True, "content": content}}


class Turns:
    """Lets one body be judged at a time, and a bounded number be in hand."""

    def __init__(self) -> None:
        self.in_hand = 0
        self.judging = asyncio.Lock()

    def __enter__(self) -> None:
        if self.in_hand >= MAX_IN_HAND:
            raise Overloaded("Too many batches are in hand")
        self.in_hand += 1

    def __exit__(self, *_: object) -> None:
        self.in_hand -= 1


@post(
    "/v1/sessions/batch",
    status_code=200,
    guards=[require(LAND, limited=True)],
    tags=["sessions"],
    summary="Land many sessions",
    description="Takes NDJSON or a JSON array of sessions, up to 32 MiB inflated; gzip and zstd are taken. Good "
    "sessions are kept and on disk with the 200, whatever becomes of the others, which are listed by their position "
    "from 0 (blank lines do not count). Costs one request of the rate limit.",
    security=SECURITY,
    responses=failures(400, 401, 403, 408, 413, 415, 429, 500, 503, 507),
    operation_class=_BatchOperation,
    request_max_body_size=BODY_LIMIT,
)
async def land_sessions(request: Request[Any, KeyRecord, State]) -> BatchLanded:
    """Cut, validate, append to the journal, answer."""
    state = request.app.state
    media_type = bodies.check_media_type(request.headers.get("content-type", ""), (bodies.NDJSON, bodies.JSON))
    with state.batch_turns:
        body = await bodies.read(request, BODY_LIMIT, (bodies.NDJSON, bodies.JSON))
        sessions = batch.lines(body) if media_type == bodies.NDJSON else batch.elements(body)
        verdict = await _judge(sessions, request)
        if verdict.records:
            await state.landing.land(verdict.records)
    state.metrics.sessions.inc(len(verdict.records))
    return BatchLanded(len(verdict.records), verdict.duplicates, verdict.rejected)


async def _judge(sessions: list[bytes], request: Request[Any, KeyRecord, State]) -> batch.Verdict:
    state = request.app.state
    verdict = batch.Verdict()
    now, tenant, limit = state.storage.now(), request.auth.tenant, state.settings.session_limit
    async with state.batch_turns.judging:
        for first in range(0, len(sessions), AT_ONCE):
            verdict.accept(sessions[first : first + AT_ONCE], first, tenant=tenant, now=now, limit=limit)
            await asyncio.sleep(0)
    return verdict
