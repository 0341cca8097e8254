"""WebSockets: `/ws/live/{stream_id}`, `/ws/live/health`, `/analytics/realtime`, and the tickets that open them.

What is sent is read in `ingest.hub`, once a second for all who watch the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import structlog
from litestar import Request, WebSocket, post, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect
from litestar.params import FromPath

from ingest import background
from ingest.errors import ApiError, InvalidApiKey, NotFound
from ingest.guards import READ, reader, require
from ingest.hub import SLOW_S, Hub, Read, Watcher
from ingest.routes.openapi import SECURITY, failures
from ingest.tracking import in_database
from warehouse.access import tickets
from warehouse.access.keys import KeyRecord
from warehouse.live import players, reading
from warehouse.live.state import LiveStream

REFUSED = 4401
UNKNOWN = 4404
TRY_AGAIN = 1013

_encoder = msgspec.json.Encoder()
_log = structlog.get_logger("ingest.watching")

Socket = WebSocket[Any, Any, State]
Topic = tuple[Hashable, Read, Callable[[], Any]]
"""What `Hub.join` is given."""


class Ticket(msgspec.Struct):
    """Opens one WebSocket, as `?ticket=`."""

    ticket: str
    expires_in: int = tickets.TICKET_S
    """Seconds."""


@post(
    "/v1/tickets",
    status_code=200,
    guards=[require(READ)],
    tags=["live streams"],
    summary="A ticket for a WebSocket",
    security=SECURITY,
    responses=failures(401, 403, 503),
)
async def issue_ticket(request: Request[Any, KeyRecord, State]) -> Ticket:
    """Return a ticket for browsers, which cannot set headers on a WebSocket."""
    return Ticket(await in_database(request, tickets.issue, request.auth.tenant, request.app.state.storage.now()))


@websocket("/ws/live/health")
async def live_connections(socket: Socket) -> None:
    """Count the connections of this worker, once."""
    hub: Hub = socket.app.state.hub
    await socket.accept()
    await socket.send_data(_json({"status": "ok", "connections": hub.connections, "streams": hub.topics}))
    await socket.close()


@websocket("/ws/live/{stream_id:str}")
async def watch_stream(socket: Socket, stream_id: FromPath[str]) -> None:
    """Send the state of a stream at once, and then each second."""

    async def begin() -> Topic:
        tenant = await _tenant(socket)
        found = None if "\0" in stream_id else await in_database(socket, reading.find, stream_id, tenant)
        if found is None:
            raise NotFound(f"There is no stream {stream_id!r}")
        key, _ = found
        return ("stream", *key), socket.app.state.read_streams, lambda: LiveStream(key)

    greeting = {"stream_id": stream_id, "message": f"Connected to stream {stream_id}"}
    await _serve(socket, begin, greeting)


@websocket("/analytics/realtime")
async def watch_players(socket: Socket) -> None:
    """Send what players tell at present, at once and then each second."""

    async def begin() -> Topic:
        tenant = await _tenant(socket)
        if tenant is None:
            raise InvalidApiKey
        return ("players", tenant), _dashboards, lambda: tenant

    await _serve(socket, begin, {"message": "Connected to player analytics"})


def _dashboards(connection: psycopg.Connection, tenants: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    shown = (players.dashboard(connection, tenant, now) for tenant in tenants)
    return [{"type": "metrics", "timestamp": now, "data": data} for data in shown]


async def _serve(socket: Socket, begin: Callable[[], Awaitable[Topic]], greeting: dict[str, Any]) -> None:
    hub: Hub = socket.app.state.hub
    await socket.accept()
    try:
        name, read, make = await begin()
    except ApiError as error:
        code = {401: REFUSED, 403: REFUSED, 404: UNKNOWN}.get(error.status, TRY_AGAIN)
        await socket.close(code=code, reason=error.message)
        return
    except psycopg.Error:
        await socket.close(code=TRY_AGAIN, reason="The database is temporarily unavailable")
        return
    await socket.send_data(_json({"type": "connected", **greeting, "timestamp": datetime.now(UTC)}))
    watcher = hub.join(name, read, make)
    try:
        await _exchange(socket, watcher)
    finally:
        hub.leave(name, watcher)


async def _exchange(socket: Socket, watcher: Watcher) -> None:
    """Send what is new until the client leaves or is too slow; answer its pings."""
    listening = background.spawn("listening", _listen(socket, watcher))
    try:
        while (message := await watcher.next()) is not None:
            async with asyncio.timeout(SLOW_S):
                await socket.send_data(message)
    except TimeoutError:
        _log.info("slow client dropped")
    except (WebSocketDisconnect, OSError):  # ASGI's word for a connection that broke while something was sent
        return
    finally:
        await background.cancel([listening])


async def _listen(socket: Socket, watcher: Watcher) -> None:
    """Answer pings, plain or JSON, until the client leaves."""
    try:
        while True:
            text = await socket.receive_text()
            if text == "ping":
                await socket.send_data("pong")
            elif '"ping"' in text:
                await socket.send_data('{"type":"pong"}')
    except (WebSocketDisconnect, OSError):
        return
    finally:
        watcher.leave()


async def _tenant(socket: Socket) -> str | None:
    """Return whose key or ticket came with the connection, None where none did. Raises InvalidApiKey."""
    ticket = socket.query_params.get("ticket")
    if ticket is None:
        return reader(socket)
    tenant = await in_database(socket, tickets.redeem, ticket, socket.app.state.storage.now())
    if tenant is None:
        raise InvalidApiKey
    return tenant


def _json(value: object) -> str:
    return _encoder.encode(value).decode()
