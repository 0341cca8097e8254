"""Health, metrics and the front page: open without a key, for they hold no data."""

from typing import Any, Literal

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_LATEST

from ingest.errors import Overloaded, StorageFull
from ingest.routes.openapi import failures

_INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Playhead</title><style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}
</style></head><body><h1>Playhead</h1><p>The endpoint is running (version {version}).</p><ul>
<li><a href="/docs">API documentation</a> (<a href="/redoc">ReDoc</a>, <a href="/openapi.json">OpenAPI</a>)</li>
<li><a href="/health">Health</a></li>{metrics}</ul></body></html>
"""


class Health(msgspec.Struct, omit_defaults=True):
    """Whether everything that is sent lands, and everything that lands reaches Postgres and the lake."""

    status: Literal["healthy", "degraded"]
    reasons: list[str] = msgspec.field(default_factory=list)


class Status(msgspec.Struct):
    """A one-word answer to a probe."""

    status: Literal["alive", "ready"]


class Running(msgspec.Struct):
    """What runs here."""

    name: str
    version: str
    status: Literal["running"] = "running"


@get("/health", tags=["operations"], summary="Health", sync_to_thread=False)
def health(state: State) -> Health:
    """Answer 200 always. `degraded` gives the reasons: Postgres away or late, the lake failing, the disk full.

    Each worker speaks for itself.
    """
    reasons = state.landing.troubles()
    if state.api_keys.trouble:
        reasons.append(state.api_keys.trouble)
    if state.limiter.trouble:
        reasons.append(state.limiter.trouble)
    if state.outbox.trouble:
        reasons.append(state.outbox.trouble)
    return Health("degraded" if reasons else "healthy", reasons)


@get("/health/live", tags=["operations"], summary="Liveness", sync_to_thread=False)
def live() -> Status:
    """Answer as long as the event loop does, whatever is away: restart the process when this does not answer."""
    return Status("alive")


@get("/health/ready", tags=["operations"], summary="Readiness", responses=failures(503, 507), sync_to_thread=False)
def ready(state: State) -> Status:
    """Answer 200 while a session would be taken, also with Postgres away; else what its sender would be answered."""
    if state.landing.disk_full:
        raise StorageFull("The disk is full")
    if state.landing.full:
        raise Overloaded("The database is too far behind")
    return Status("ready")


@get("/metrics", tags=["operations"], summary="Prometheus metrics", media_type=MediaType.TEXT, sync_to_thread=False)
def metrics(state: State) -> Response[bytes]:
    """Return every metric in Prometheus' text format."""
    state.metrics.sample(state.landing, state.database)
    return Response(state.metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get("/", include_in_schema=False, sync_to_thread=False)
def index(request: Request[Any, Any, Any], state: State) -> Response[Any]:
    """Answer a browser with a page, others with name, version and status."""
    if "text/html" not in request.headers.get("accept", ""):
        return Response(Running("playhead", state.version))
    link = '<li><a href="/metrics">Metrics</a></li>' if state.settings.enable_metrics else ""
    return Response(_INDEX.format(version=state.version, metrics=link), media_type=MediaType.HTML)
