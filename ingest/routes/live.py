"""Telemetra's API: `/api/v1/health`, `/api/v1/streams`, a stream's metrics and moments. Streams land in `streams`.

Public streams are read without a key; with one, those of its tenant.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import psycopg
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath, QueryParameter
from sqlalchemy.exc import SQLAlchemyError

from ingest.errors import DatabaseError, NotFound
from ingest.guards import reader
from ingest.routes.openapi import failures
from ingest.tracking import in_database
from warehouse.live import reading
from warehouse.live.reading import Rows, StreamKey

METRICS_S = 60
"""How long a stream's metrics and moments are kept, unless something new lands."""
STREAMS_S = 300
"""How long the list of streams is kept, likewise."""

_PUBLIC: dict[str, Any] = {
    "tags": ["live streams"],
    "media_type": MediaType.JSON,
    "security": [{}, {"ApiKey": []}, {"Bearer": []}],
}
Offset = Annotated[int, QueryParameter(ge=0, le=2**31 - 1, description="Items to leave out, from the newest")]
LiveRequest = Request[Any, Any, State]


class LiveHealth(msgspec.Struct):
    """Whether what the live routes need is there."""

    status: Literal["ok", "degraded"]
    timestamp: datetime
    database: Literal["ok", "unavailable"]
    redis: Literal["ok", "unavailable"]
    """`ok` also where none is set, and answers are kept in memory."""


@get("/api/v1/health", tags=["live streams"], summary="Health of database and cache")
async def live_health(request: LiveRequest) -> LiveHealth:
    """Answer 200 always."""
    try:
        await in_database(request, lambda connection: connection.execute("SELECT 1"))
    except (psycopg.Error, SQLAlchemyError, DatabaseError):
        database = False
    else:
        database = True
    redis = await request.app.state.cache.healthy()
    word: dict[bool, Literal["ok", "unavailable"]] = {True: "ok", False: "unavailable"}
    return LiveHealth("ok" if database and redis else "degraded", datetime.now(UTC), word[database], word[redis])


@get("/api/v1/streams", summary="Streams", responses=failures(401, 403, 422, 503), **_PUBLIC)
async def list_streams(
    request: LiveRequest, limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100, offset: Offset = 0
) -> Response[Rows]:
    """List streams, the newest first, each with what it landed and its newest viewer count."""
    tenant = reader(request)
    mark = await in_database(request, reading.mark)
    return await _kept(
        request,
        (tenant, limit, offset),
        mark,
        STREAMS_S,
        lambda connection: reading.streams(connection, tenant, limit=limit, offset=offset),
    )


@get("/api/v1/streams/{stream_id:str}/metrics", summary="Minutes", responses=failures(401, 404, 422, 503), **_PUBLIC)
async def stream_metrics(
    request: LiveRequest,
    stream_id: FromPath[str],
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    offset: Offset = 0,
) -> Response[Rows]:
    """Return minutes, the newest first: messages, chatters, emotes, sentiment, viewers, anomalies."""
    key, mark, now = await _found(request, stream_id)

    def read(connection: psycopg.Connection) -> Rows:
        sentiment = request.app.state.sentiment
        rows = reading.minutes(connection, key, now, sentiment, limit=limit, offset=offset)
        return [_minute(stream_id, row) for row in rows]

    return await _kept(request, (key.tenant, stream_id, "metrics", limit, offset), mark, METRICS_S, read)


@get("/api/v1/streams/{stream_id:str}/moments", summary="Moments", responses=failures(401, 404, 422, 503), **_PUBLIC)
async def stream_moments(
    request: LiveRequest,
    stream_id: FromPath[str],
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    offset: Offset = 0,
) -> Response[Rows]:
    """Return moments, the newest first, each with threshold, score and evidence (`metadata`)."""
    key, mark, now = await _found(request, stream_id)

    def read(connection: psycopg.Connection) -> Rows:
        sentiment = request.app.state.sentiment
        return reading.moments(connection, key, now, sentiment, limit=limit, offset=offset)

    return await _kept(request, (key.tenant, stream_id, "moments", limit, offset), mark, METRICS_S, read)


async def _found(request: LiveRequest, stream_id: str) -> tuple[StreamKey, str, datetime]:
    now = request.app.state.storage.now()
    tenant = reader(request)
    # No text in Postgres holds a NUL, and no stream's id does.
    found = None if "\0" in stream_id else await in_database(request, reading.find, stream_id, tenant)
    if found is None:
        raise NotFound(f"There is no stream {stream_id!r}")
    return *found, now


async def _kept(
    request: LiveRequest,
    name: tuple[object, ...],
    mark: str,
    keep_s: int,
    read: Callable[[psycopg.Connection], Rows],
) -> Response[Rows]:
    async def make() -> bytes:
        return msgspec.json.encode(await in_database(request, read))

    body = await request.app.state.cache.answer(msgspec.json.encode(name).decode(), mark, keep_s, make)
    encoded: Any = body  # what the document says is what it encodes
    return Response(encoded, media_type=MediaType.JSON)


def _minute(stream_id: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return a minute with the names of the seed's table and those of the live message."""
    names, counts = row["top_emotes"] or [], row["top_emote_counts"] or []
    left_out = {"day", "tenant", "top_emote_counts", "sentiment_n", "sentiment_sum", "viewer_n", "viewer_sum"}
    told = {name: value for name, value in row.items() if name not in left_out}
    return told | {
        "stream_id": stream_id,
        "timestamp": row["window_start"],
        "viewer_count": None if row["avg_viewers"] is None else round(row["avg_viewers"]),
        "sentiment_score": row["avg_sentiment"],
        "top_emotes": [{"name": name, "count": count} for name, count in zip(names, counts, strict=True)],
    }
