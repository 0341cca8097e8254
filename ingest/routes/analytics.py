"""`GET /analytics/metrics/{videoId}` and `/analytics/dashboard`: what players told. Their events land in `events`."""

from typing import Annotated, Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter

from ingest.envelope import ENVELOPED, Success
from ingest.errors import NotFound
from ingest.guards import READ, require
from ingest.routes.openapi import SECURITY, enveloped
from ingest.tracking import in_database
from warehouse.access.keys import KeyRecord
from warehouse.live import players

_READING: dict[str, Any] = {
    "guards": [require(READ)],
    "tags": ["analytics"],
    "security": SECURITY,
    "exception_handlers": ENVELOPED,
}
ReadRequest = Request[Any, KeyRecord, State]


@get(
    "/analytics/metrics/{video_id:str}",
    summary="Metrics of a video",
    responses=enveloped(401, 403, 404, 422, 503),
    **_READING,
)
async def video_metrics(
    request: ReadRequest, video_id: FromPath[str], limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100
) -> Success[dict[str, Any]]:
    """Return VideoMetrics over the newest sessions of the video, and `sessions` with those of each, newest first."""
    unknown = NotFound(f"There is no session of the video {video_id!r}")
    if "\0" in video_id:  # no text in Postgres holds one
        raise unknown
    found = await in_database(request, players.video, request.auth.tenant, video_id, limit=limit)
    if found is None:
        raise unknown
    return Success(found)


@get("/analytics/dashboard", summary="What is played now", responses=enveloped(401, 403, 503), **_READING)
async def dashboard(request: ReadRequest) -> Success[dict[str, Any]]:
    """Return the last minute's sessions, events, stalls and errors, and the videos of the last 24 hours."""
    now = request.app.state.storage.now()
    return Success(await in_database(request, players.dashboard, request.auth.tenant, now))
