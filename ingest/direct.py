"""The busy routes, called without the framework's routing and response machinery, which cost more than their work.

A route stays declared in Litestar, which documents it and answers other methods; here the same guards and the same
handler run, and errors are answered by the application's own handlers. What a route does is in `ingest.routes`.
"""

import math
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, HTTPRequestEvent, HTTPScope, Receive, Scope, Send

JSON_HEADER = (b"content-type", b"application/json")


class _Request(Request[Any, Any, Any]):
    """A request with headers in a plain dict, by lower-case name, and a body that is read without a generator."""

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        sent = cast("list[tuple[bytes, bytes]]", scope["headers"])
        # The first of several counts, as in Litestar's own headers.
        self._plain = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(sent)}

    @property
    def headers(self) -> dict[str, str]:  # type: ignore[override]
        return self._plain

    async def body(self) -> bytes:
        limit = self.route_handler.resolve_request_max_body_size() or math.inf
        announced = self._plain.get("content-length")
        if announced is not None and int(announced) > limit:
            raise RequestEntityTooLarge
        parts: list[bytes] = []
        size = 0
        while True:
            received = await self.receive()
            if received["type"] == "http.disconnect":
                raise ClientException("client disconnected prematurely")
            event = cast("HTTPRequestEvent", received)
            parts.append(event["body"])
            size += len(event["body"])
            if size > limit:
                raise RequestEntityTooLarge
            if not event.get("more_body", False):
                return b"".join(parts)


class Direct:
    """Wraps the application: serves POST on the paths that were added, exactly as written, and passes on the rest.

    Their handlers take the request only, and return a msgspec Struct that is answered with 200.
    """

    def __init__(self, app: Litestar, otherwise: ASGIApp) -> None:
        self._app = app
        self._otherwise = otherwise
        self._encoder = msgspec.json.Encoder()
        self._routes: dict[str, HTTPRouteHandler] = {}

    def add(self, path: str) -> None:
        """Serve a route of the application directly."""
        route = next(route for route in self._app.routes if route.path == path and isinstance(route, HTTPRoute))
        self._routes[path] = route.route_handler_map["POST"][0]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        handler = self._routes.get(scope["path"]) if scope["type"] == ScopeType.HTTP else None
        if handler is not None and (http := cast("HTTPScope", scope))["method"] == "POST" and not _from_page(http):
            await self._serve(http, handler, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    async def _serve(self, scope: HTTPScope, handler: HTTPRouteHandler, receive: Receive, send: Send) -> None:
        scope["path_template"] = scope["path"]
        scope["route_handler"] = handler
        request = _Request(scope, receive, send)
        try:
            for guard in handler.resolve_guards():
                await guard(request, handler)  # type: ignore[misc]
            body = self._encoder.encode(await handler.fn(request))
        except Exception as error:  # noqa: BLE001 - the request's outermost frame: each kind has its answer
            await self._failure(request, error).to_asgi_response(None, request)(scope, receive, send)
            return
        headers = [JSON_HEADER, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _failure(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        handlers = self._app.exception_handlers
        kind = next(kind for kind in type(error).__mro__ if kind in handlers)
        return handlers[kind](request, error)


def _from_page(scope: HTTPScope) -> bool:
    """Tell whether a page of another origin may have sent it, whose browser wants to be told that it may."""
    return any(name == b"origin" for name, _ in scope["headers"])
