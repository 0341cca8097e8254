"""The tracker's landing routes: `POST /sync`, `/syncmovies`, `/syncyoutube`, `/syncspotify`, `PUT /show`; `GET /shows`.

A sync counts what is new and answers when it is stored, whatever providers do; it waits a moment for them, so that
progress has names.
"""

from typing import Any

import msgspec
from litestar import get, post, put

from ingest.basic import basic_user, limited_user
from ingest.errors import NotFound, ProviderUnavailable
from ingest.payloads import sync
from ingest.routes.openapi import BASIC, body_of, failures, unauthorized
from ingest.tracking import BODY_LIMIT, TrackerRequest, accept, enrich, in_database, land
from warehouse.providers.results import Failed, Found, Kind, Result, Series
from warehouse.watches import describing, show_list, watching

_LANDING: dict[str, Any] = {
    "status_code": 200,
    "guards": [limited_user],
    "tags": ["tracker"],
    "security": BASIC,
    "responses": unauthorized() | failures(400, 408, 413, 415, 429, 503),
    "request_max_body_size": BODY_LIMIT,
}


class EpisodesAdded(msgspec.Struct):
    """Stored; `episodes_added` were not known before."""

    episodes_added: int


class MoviesAdded(msgspec.Struct):
    """Stored; `movies_added` were not known before."""

    movies_added: int


class VideosAdded(msgspec.Struct):
    """Stored; `videos_added` were not known before."""

    videos_added: int


class Empty(msgspec.Struct):
    """Done."""


class TrackedShow(msgspec.Struct):
    """A folder of local episodes, and the series that it is; null while that is not known."""

    folder_name: str
    tvdb_id: int | None
    tvdb_name: str | None
    tvdb_image: str | None


class TrackedShows(msgspec.Struct):
    """By folder."""

    shows: list[TrackedShow]


@post("/sync", summary="Sync watched episodes of local shows", operation_class=body_of(sync.Episodes), **_LANDING)
async def sync_episodes(request: TrackerRequest) -> EpisodesAdded:
    """Insert the files that are new, and their folders."""
    body, _ = await accept(request, sync.Episodes)
    return EpisodesAdded((await land(request, "sync", body)).added)


@post("/syncmovies", summary="Sync watched local movies", operation_class=body_of(sync.Movies), **_LANDING)
async def sync_movies(request: TrackerRequest) -> MoviesAdded:
    """Insert the files that are new, each with its id at TVDB or TMDB."""
    body, _ = await accept(request, sync.Movies)
    landed = await land(request, "syncmovies", body)
    await enrich(request, landed)
    return MoviesAdded(landed.added)


@post("/syncyoutube", summary="Sync watched YouTube videos", operation_class=body_of(sync.Videos), **_LANDING)
async def sync_videos(request: TrackerRequest) -> VideosAdded:
    """Insert the ids that are new."""
    body, _ = await accept(request, sync.Videos)
    landed = await land(request, "syncyoutube", body)
    await enrich(request, landed)
    return VideosAdded(landed.added)


@post("/syncspotify", summary="Sync Spotify episodes", operation_class=body_of(sync.Podcasts), **_LANDING)
async def sync_podcasts(request: TrackerRequest) -> EpisodesAdded:
    """Insert the ids that are new; with `backfill` also what the same shows released up to each of them."""
    body, accepted = await accept(request, sync.Podcasts)
    landed = await land(request, "syncspotify", body)
    await enrich(request, landed)
    added = landed.added
    if accepted.backfill:
        added = await in_database(request, watching.count, landed.ingest_id)
    return EpisodesAdded(added)


@put(
    "/show",
    summary="Name the series of a local show",
    operation_class=body_of(sync.Show),
    **_LANDING | {"responses": unauthorized() | failures(400, 404, 408, 413, 415, 429, 502, 503)},
)
async def put_show(request: TrackerRequest) -> Empty:
    """Take the folder for a TVDB series, whose runtime then counts for all its episodes, those synced before too."""
    state, user = request.app.state, request.auth
    body, show = await accept(request, sync.Show)
    if not await in_database(request, show_list.has, user.tenant, user.name, show.folder_name):
        raise NotFound(f"folder_name {show.folder_name!r} is not among the shows")
    if not await in_database(request, show_list.is_known, show.tvdb_id):
        [result] = await state.catalog.tvdb_series([show.tvdb_id], state.settings.enrich_s)
        await in_database(request, describing.store, [_answer(result)], state.storage.now())
    await land(request, "show", body)
    return Empty()


@get(
    "/shows",
    guards=[basic_user],
    tags=["tracker"],
    summary="List local shows",
    security=BASIC,
    responses=unauthorized() | failures(503),
)
async def list_shows(request: TrackerRequest) -> TrackedShows:
    """Return every folder with what is known of its series."""
    rows = await in_database(request, show_list.every, request.auth.tenant, request.auth.name)
    return TrackedShows([TrackedShow(*row) for row in rows])


def _answer(result: Result[Series]) -> describing.Answer:
    """Return what is stored of a series. Raises NotFound and ProviderUnavailable."""
    if isinstance(result, Failed):
        raise ProviderUnavailable(result.reason)
    if not isinstance(result, Found):
        raise NotFound(f"tvdb_id {result.id} is not a series of TVDB")
    return describing.Answer(str(Kind.TVDB_SERIES), str(result.id), "found", result.raw)
