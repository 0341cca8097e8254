"""`POST /v1/sessions`."""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.openapi.spec import Operation

from ingest import bodies
from ingest.guards import LAND, require
from ingest.payloads import session
from ingest.routes.openapi import SECURITY, failures, request_body, with_answer
from warehouse.access.keys import KeyRecord


class SessionLanded(msgspec.Struct):
    """The session is on disk."""

    status: Literal["success"]
    session_id: str | int = msgspec.field(name="sessionId")
    """As it was sent."""


@dataclass
class _SessionOperation(Operation):
    def to_schema(self) -> dict[str, Any]:
        example = {"status": "success", "sessionId": session.EXAMPLES["SDK"]["sessionId"]}
        schema = with_answer(super().to_schema(), "The session is on disk", example)
        return schema | {"requestBody": request_body(session.schema(), session.EXAMPLES)}


@post(
    "/v1/sessions",
    status_code=200,
    guards=[require(LAND, limited=True)],
    tags=["sessions"],
    summary="Land one session",
    description="Takes a completed playback session in the SDK's or the legacy shape. A 200 means that it is on disk. "
    "A resend of the same `sessionId` replaces what an older send said.",
    security=SECURITY,
    responses=failures(400, 401, 403, 408, 413, 415, 429, 500, 503, 507),
    operation_class=_SessionOperation,
)
async def land_session(request: Request[Any, KeyRecord, State]) -> SessionLanded:
    """Validate, append to the journal, answer."""
    state = request.app.state
    body = await bodies.read(request, state.settings.session_limit)
    accepted = session.accept(body, tenant=request.auth.tenant, now=state.storage.now())
    await state.landing.land([accepted.record])
    state.metrics.sessions.inc()
    return SessionLanded("success", accepted.session_id)
