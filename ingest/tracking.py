"""How a body of the tracker lands: read, checked, one transaction, then a moment for the providers.

Which routes there are is in `ingest.routes.sync`; what a transaction does is in `warehouse.watches.watching`.
Everything that waits for Postgres runs in a thread.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
import psycopg
import structlog
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from sqlalchemy.exc import SQLAlchemyError

from ingest import bodies
from ingest.background import aside
from ingest.errors import DatabaseError
from ingest.payloads import sync
from warehouse.access.users import UserRecord
from warehouse.watches import enriching, watching

BODY_LIMIT = 16 << 20
"""Most bytes of a body, as sent and inflated."""

TrackerRequest = Request[UserRecord, Any, State]
S = TypeVar("S", bound=msgspec.Struct)
P = ParamSpec("P")
R = TypeVar("R")

_log = structlog.get_logger("ingest.tracking")


async def accept(request: TrackerRequest, contract: type[S]) -> tuple[bytes, S]:
    """Return the body as it came and as its contract has it. Raises what `bodies.read` and `sync.accept` raise."""
    body = await bodies.read(request, BODY_LIMIT)
    return body, await asyncio.to_thread(sync.accept, body, contract)


async def land(request: TrackerRequest, route: str, body: bytes) -> watching.Landed:
    """Land an accepted body of the request's user. Raises what Postgres raises; nothing is stored then."""
    storage = request.app.state.storage

    def store(connection: psycopg.Connection) -> watching.Landed:
        return watching.land(
            connection,
            tenant=request.auth.tenant,
            user_id=request.auth.name,
            route=route,
            body=body,
            now=storage.now(),
            default_zone=storage.time_zone,
        )

    return await in_database(request, store)


async def enrich(request: TrackerRequest, landed: watching.Landed) -> None:
    """Ask providers for what a landed body lacks; whatever fails stays pending, for the body is kept already."""
    state = request.app.state
    within_s: float = state.settings.enrich_s
    try:
        await enriching.enrich(
            state.database, state.catalog, state.storage.now(), within_s=within_s, ingest_id=landed.ingest_id
        )
    except (psycopg.Error, SQLAlchemyError) as error:
        _log.warning("metadata stays pending", reason=str(error).strip())


async def in_database(
    request: ASGIConnection[Any, Any, Any, Any],
    work: Callable[Concatenate[psycopg.Connection, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Run with a connection, in a thread. Raises DatabaseError before the schema is known to be there."""
    state = request.app.state
    if not state.prepared:
        raise DatabaseError("The database is temporarily unavailable")

    def run() -> R:
        with state.database.connect() as connection:
            return work(connection, *args, **kwargs)

    return await aside(run)
