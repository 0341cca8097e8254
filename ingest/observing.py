"""What happens around every request: a request id, what its rate limit leaves, the access log, the request metrics.

Outermost, so that unknown routes and refused bodies are seen too.
"""

import itertools
import secrets
import time
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from ingest.access_log import AccessLog, Line
from ingest.guards import ALLOWANCE
from ingest.metrics import Metrics

REQUEST_ID = b"x-request-id"
UNMATCHED = "unmatched"


class Observing:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._access_log = AccessLog()
        self._prefix = secrets.token_hex(6)
        self._count = itertools.count()
        self._known: dict[tuple[str, str, int], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = self._request_id(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                allowance = scope["state"].get(ALLOWANCE)
                told = () if allowance is None else allowance.raw_headers()
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID, request_id.encode()), *told]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._done(scope, request_id, status, time.perf_counter() - started)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == REQUEST_ID:
                sent = value.decode("latin-1")
                if 0 < len(sent) <= 64 and sent.isascii() and sent.replace("-", "").replace("_", "").isalnum():
                    return sent
                break
        return f"{self._prefix}-{next(self._count):x}"

    def _done(self, scope: HTTPScope, request_id: str, status: int, seconds: float) -> None:
        method, path = scope["method"], scope["path"]
        endpoint = scope.get("path_template") or UNMATCHED
        key = (method if endpoint != UNMATCHED else UNMATCHED, endpoint, status)
        if (known := self._known.get(key)) is None:
            known = self._known[key] = (
                self._metrics.requests.labels(key[0], endpoint, str(status)),
                self._metrics.request_seconds.labels(key[0], endpoint),
            )
        known[0].inc()
        known[1].observe(seconds)
        if endpoint.startswith("/health"):
            return
        milliseconds = seconds * 1000
        self._access_log.write(
            Line(
                method,
                path,
                status,
                round(milliseconds, 3),
                f"{method} {path} - {status} ({milliseconds:.0f}ms)",
                request_id,
                scope["state"].get("error"),
            )
        )
