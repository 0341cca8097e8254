"""What the OpenAPI document says besides what Litestar reads from the handlers, and the pages that show it.

The pages' JavaScript is served from here, so that they work without network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from litestar import MediaType, Request, Router, get
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, RedocRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, Example, Operation, Reference, SecurityScheme
from litestar.static_files import create_static_files_router

from ingest.basic import Unauthorized
from ingest.errors import ErrorBody
from ingest.payloads import sync

SECURITY: list[dict[str, list[str]]] = [{"ApiKey": []}, {"Bearer": []}]
"""Either header will do."""

ASSETS = "/docs/assets"
_FAILURES = {
    400: ("INVALID_SCHEMA", "The body breaks its contract; the message names the field"),
    401: ("INVALID_API_KEY", "No valid API key"),
    403: ("FORBIDDEN", "The key lacks the scope"),
    404: ("NOT_FOUND", "There is no such thing"),
    408: ("REQUEST_TIMEOUT", "The body did not arrive in time"),
    413: ("PAYLOAD_TOO_LARGE", "The body is too large"),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Media type or encoding not supported"),
    422: ("INVALID_PARAMETER", "A query parameter cannot be used; the message names it"),
    429: (
        "RATE_LIMIT_EXCEEDED",
        "More requests than the key may send in this window; see `Retry-After` and `X-RateLimit-Reset`",
    ),
    500: ("INTERNAL_ERROR", "The body could not be stored, or a defect; nothing of it is kept"),
    502: ("PROVIDER_ERROR", "The metadata provider gave no answer; nothing has changed"),
    503: ("OVERLOADED", "Overloaded, or `DATABASE_ERROR`: Postgres is needed and away; see `Retry-After`"),
    507: ("STORAGE_FULL", "The disk is full; see `Retry-After`"),
}
BASIC: list[dict[str, list[str]]] = [{"Basic": []}]
"""A user of the tracker."""

_FAVICON = "<link rel='icon' href='data:,'>"
_redoc = RedocRenderPlugin(js_url=f"{ASSETS}/redoc/bundles/redoc.standalone.js", google_fonts=False, favicon=_FAVICON)
_json = JsonRenderPlugin()


def failures(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the error answers of an operation, each with an example."""
    return {status: _failure(*_FAILURES[status]) for status in statuses}


def _failure(code: str, description: str) -> ResponseSpec:
    value = {"error": {"code": code, "message": description, "timestamp": 1_771_065_045_000}}
    return ResponseSpec(
        ErrorBody, description=description, generate_examples=False, examples=[Example(summary=code, value=value)]
    )


def with_answer(schema: dict[str, Any], description: str, example: Any) -> dict[str, Any]:
    """Return an operation's schema with a description and an example of its 200."""
    answer = schema["responses"]["200"]
    answer["description"] = description
    answer["content"]["application/json"]["examples"] = {"answer": {"value": example}}
    return schema


def unauthorized() -> dict[int, ResponseSpec]:
    """Return the tracker's answer to who is not known."""
    description = "No user, or a wrong password; with `WWW-Authenticate: Basic`"
    return {401: ResponseSpec(Unauthorized, description=description, generate_examples=False)}


def request_body(schema: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return a required JSON body of this schema."""
    shown = {name: {"value": value} for name, value in examples.items()}
    return {"required": True, "content": {"application/json": {"schema": schema, "examples": shown}}}


def body_of(contract: type[msgspec.Struct]) -> type[Operation]:
    """Return the operation of a route that reads its body itself, of this contract of `payloads.sync`."""

    @dataclass
    class ContractOperation(Operation):
        def to_schema(self) -> dict[str, Any]:
            return super().to_schema() | {"requestBody": request_body(sync.schema(contract), sync.EXAMPLES[contract])}

    return ContractOperation


def config(version: str) -> OpenAPIConfig:
    """Return the document's head, with Swagger UI at `/docs`."""
    schemes: dict[str, SecurityScheme | Reference] = {
        "ApiKey": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
        "Basic": SecurityScheme(type="http", scheme="basic", description="A user of the tracker"),
        "Bearer": SecurityScheme(type="http", scheme="bearer", description="The same API key"),
    }
    swagger = SwaggerRenderPlugin(
        path="/",
        js_url=f"{ASSETS}/swagger-ui-dist/swagger-ui-bundle.js",
        css_url=f"{ASSETS}/swagger-ui-dist/swagger-ui.css",
        standalone_preset_js_url=f"{ASSETS}/swagger-ui-dist/swagger-ui-standalone-preset.js",
        favicon=_FAVICON,
    )
    return OpenAPIConfig(
        title="Playhead",
        version=version,
        description="Lands raw playback payloads.",
        path="/docs",
        render_plugins=[swagger, _json],
        components=Components(security_schemes=schemes),
    )


@get("/redoc", media_type=MediaType.HTML, include_in_schema=False, sync_to_thread=False)
def redoc(request: Request[Any, Any, Any]) -> bytes:
    """Show the document with ReDoc."""
    return _redoc.render(request, request.app.openapi_schema.to_schema())


@get("/openapi.json", media_type="application/json", include_in_schema=False, sync_to_thread=False)
def document(request: Request[Any, Any, Any]) -> bytes:
    """Return the document."""
    return _json.render(request, request.app.openapi_schema.to_schema())


def assets() -> Router:
    """Serve the pages' JavaScript, which an installed package brings."""
    spec = find_spec("drf_spectacular_sidecar")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("drf-spectacular-sidecar is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "static" / "drf_spectacular_sidecar"
    return create_static_files_router(path=ASSETS, directories=[folder], include_in_schema=False)
