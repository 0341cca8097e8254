"""How connections are served: answers leave in one write, and who does not finish a request's head is cut off.

uvicorn's own protocols write head and body of an answer apart, two system calls and two packets, and wait for ever for
a head, and for a WebSocket's client that does not read to take what is left. How long a body may take is decided in
`ingest.bodies`.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_S = 20.0
"""How long a connection may take to send the head of a request, from its beginning or from the head's first byte."""

LEFT_S = 15.0
"""How long the client of a WebSocket that was served may take what is left; uvicorn waits 10 s for its close frame."""

WHOLE = "whole"
"""Set in the state of a request whose body has come, so that nobody need watch for one that stalls."""

MOST_HELD = 64 << 10
"""Bytes from which nothing more is gathered."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 over one connection; for `uvicorn.Config(http=…)`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; uvicorn writes through what gathers."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._head_has_come()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what is in hand afterwards may be the beginning of a head."""
        super().data_received(data)
        if self._in_head and self._deadline is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        self._in_head = False
        if self._deadline is not None:
            self._head_has_come()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A body is complete, mostly before its request is handled."""
        self.scope["state"][WHOLE] = True
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _head_has_come(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class WebSockets(WebSocketsSansIOProtocol):
    """WebSockets over one connection; for `uvicorn.Config(ws=…)`."""

    async def run_asgi(self) -> None:
        """Serve; cut off a client that afterwards does not take what it was sent."""
        await super().run_asgi()
        self.loop.call_later(LEFT_S, self.transport.abort)


class Gathering:
    """A transport that writes once what is written within one turn of the event loop; otherwise as the one it wraps."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._call_soon = loop.call_soon
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Hold the data until the loop's next turn, unless it is much."""
        if not self._held:
            self._call_soon(self._flush)
        self._held += data
        if len(self._held) > MOST_HELD:
            self._flush()

    def close(self) -> None:
        """Close once everything is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)
