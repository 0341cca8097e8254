"""`POST /v1/streams`, `/v1/chat` and `/v1/viewers`: what live streams send. They are read in `live`."""

from typing import Any

from litestar import post

from ingest import bodies
from ingest.guards import LAND, require
from ingest.payloads import streams
from ingest.payloads.instants import Arrival
from ingest.routes.listed import BODY_LIMIT, Landed, LandingRequest, land, list_of, one
from ingest.routes.openapi import SECURITY, failures

LANDING: dict[str, Any] = {
    "status_code": 200,
    "guards": [require(LAND, limited=True)],
    "security": SECURITY,
    "responses": failures(400, 401, 403, 408, 413, 415, 429, 500, 503, 507),
}
"""What all landing routes share."""

_LIVE: dict[str, Any] = LANDING | {"tags": ["live streams"]}


@post("/v1/streams", summary="Describe a stream", operation_class=one(streams.EXAMPLES["stream"]), **_LIVE)
async def land_stream(request: LandingRequest) -> Landed:
    """Land what is known of a stream; of several sends the newest holds."""
    state = request.app.state
    body = await bodies.read(request, state.settings.session_limit)
    arrival = Arrival.at(state.storage.now())
    await state.landing.land([streams.accept_stream(body, tenant=request.auth.tenant, arrival=arrival).record])
    return Landed(1, 0)


@post(
    "/v1/chat",
    summary="Land chat messages",
    operation_class=list_of("messages", streams.EXAMPLES["message"]),
    request_max_body_size=BODY_LIMIT,
    **_LIVE,
)
async def land_chat(request: LandingRequest) -> Landed:
    """Land messages; a `message_id` of a stream that comes again changes nothing unless its content does."""
    return await land(request, "messages", streams.accept_message)


@post(
    "/v1/viewers",
    summary="Land viewer samples",
    operation_class=list_of("samples", streams.EXAMPLES["sample"]),
    request_max_body_size=BODY_LIMIT,
    **_LIVE,
)
async def land_viewers(request: LandingRequest) -> Landed:
    """Land samples of concurrent viewers; one a stream and time."""
    return await land(request, "samples", streams.accept_sample)
