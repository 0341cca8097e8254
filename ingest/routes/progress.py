"""`GET /progress` and what goes beyond the tracker's contract: a range of days, details, everything as JSON."""

from datetime import date, datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import QueryParameter

from ingest.basic import basic_user
from ingest.errors import InvalidParameter
from ingest.routes.openapi import BASIC, failures, unauthorized
from ingest.tracking import TrackerRequest, in_database
from warehouse.metrics.progress import Progress
from warehouse.settings import StorageSettings
from warehouse.watches import progress_details, progress_reading

_YEARS = range(1970, 9000)
_READING: dict[str, Any] = {
    "guards": [basic_user],
    "tags": ["tracker"],
    "security": BASIC,
    "responses": unauthorized() | failures(503),
}


@get("/progress", summary="Progress of a user", **_READING | {"responses": unauthorized() | failures(422, 503)})
async def progress(
    request: TrackerRequest,
    first: Annotated[str | None, QueryParameter(name="from", description="The first local day, as 2026-03-18")] = None,
    last: Annotated[str | None, QueryParameter(name="to", description="The last local day")] = None,
) -> Progress:
    """Return totals, today, the last 7 days, the trend, quarters and titles: of all watches or of some days'."""
    begin, end = _day("from", first), _day("to", last)
    if begin is not None and end is not None and begin > end:
        raise InvalidParameter("from must not be later than to")
    return await in_database(request, progress_reading.progress, *_whose(request), begin, end)


@get("/progress/details", summary="Goals, streaks, hours by language and confidence, days", **_READING)
async def details(request: TrackerRequest) -> progress_details.Details:
    """Return what goes beyond the tracker's contract."""
    return await in_database(request, progress_details.details, *_whose(request))


@get("/progress/export", summary="Everything as JSON", **_READING)
async def export(request: TrackerRequest) -> progress_details.Export:
    """Return progress, details and every watch with what is known of it."""
    return await in_database(request, progress_details.export, *_whose(request))


def _whose(request: TrackerRequest) -> tuple[StorageSettings, str, str, datetime]:
    storage: StorageSettings = request.app.state.storage
    return storage, request.auth.tenant, request.auth.name, storage.now()


def _day(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in _YEARS:
        raise InvalidParameter(f"{name} must be a day such as 2026-03-18")
    return day
