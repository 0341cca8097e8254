"""`POST /analytics/events` and `POST /v1/epas`: what players tell while they play. They are read in `analytics`."""

from litestar import post

from ingest import bodies
from ingest.envelope import ENVELOPED, Success
from ingest.payloads import epas, events
from ingest.payloads.batch import elements
from ingest.payloads.instants import Arrival
from ingest.routes.listed import BODY_LIMIT, Landed, LandingRequest, land, land_items, list_of, one
from ingest.routes.openapi import enveloped
from ingest.routes.streams import LANDING

_BEACON = {"event": "heartbeat", "sessionId": "5f0c", "timestamp": 1_771_065_000_000, "playhead": 1200, "duration": -1}


@post(
    "/analytics/events",
    summary="Land player events",
    tags=["analytics"],
    operation_class=list_of("events", events.EXAMPLE),
    request_max_body_size=BODY_LIMIT,
    exception_handlers=ENVELOPED,
    **LANDING | {"responses": enveloped(400, 401, 403, 408, 413, 415, 429, 500, 503, 507)},
)
async def land_events(request: LandingRequest) -> Success[Landed]:
    """Land events; the good ones are kept, the others told by their index."""
    return Success(await land(request, "events", events.accept))


@post(
    "/v1/epas",
    summary="Land beacons of Eyevinn's Player Analytics Specification",
    tags=["analytics"],
    operation_class=one(_BEACON),
    request_max_body_size=BODY_LIMIT,
    **LANDING,
)
async def land_beacons(request: LandingRequest) -> Landed:
    """Land one beacon, or an array of them; one that is refused alone is answered 400."""
    state = request.app.state
    body = await bodies.read(request, BODY_LIMIT)
    if body.lstrip()[:1] == b"[":
        with state.batch_turns:
            return await land_items(request, elements(body), epas.accept)
    accepted = epas.accept(body, tenant=request.auth.tenant, arrival=Arrival.at(state.storage.now()))
    await state.landing.land([accepted.record])
    return Landed(1, 0)
