"""What turns exceptions into the error format of `errors`: the endpoint's handlers."""

import time
from collections.abc import Mapping
from typing import Any

import psycopg
import sqlalchemy.exc
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from ingest.errors import ApiError, DatabaseError, ErrorBody, ErrorDetail
from ingest.payloads.explaining import explain

_log = structlog.get_logger("ingest")

_BY_STATUS = {
    400: "INVALID_SCHEMA",
    401: "INVALID_API_KEY",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID_PARAMETER",
    429: "RATE_LIMIT_EXCEEDED",
    503: "OVERLOADED",
    507: "STORAGE_FULL",
}
"""Codes of what Litestar raises itself."""


def answer(code: str, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response[ErrorBody]:
    """Return a response in the error format."""
    body = ErrorBody(ErrorDetail(code, message, time.time_ns() // 1_000_000))
    return Response(body, status_code=status, headers=dict(headers or {}), media_type="application/json")


def on_api_error(request: Request[Any, Any, Any], error: ApiError) -> Response[ErrorBody]:
    """Answer with the code, status and headers that the exception carries."""
    request.scope["state"]["error"] = error.message
    return answer(error.code, error.status, error.message, error.headers)


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[ErrorBody]:
    """Answer in our format to what Litestar raises: unknown routes, methods, limits, parameters."""
    status = 422 if isinstance(error, ValidationException) else error.status_code
    code = _BY_STATUS.get(status)
    if code is None:
        _log.warning("request failed", method=request.method, path=request.url.path, reason=error.detail)
        return answer("INTERNAL_ERROR", 500, "Internal server error")
    message = "Body is larger than the limit" if status == 413 else _named(error)
    request.scope["state"]["error"] = message
    return answer(code, status, message, error.headers)


def _named(error: HTTPException) -> str:
    """Return what is wrong with each parameter, where Litestar tells; else what it says itself."""
    parts = error.extra if isinstance(error, ValidationException) and isinstance(error.extra, list) else []
    told = [(str(part["key"]), part["message"]) for part in parts if "key" in part]
    words = [(key, explain(message, key)) for key, message in told]
    return "; ".join(text if text.startswith(key) else f"{key}: {text}" for key, text in words) or error.detail


def on_database_error(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Answer 503 where Postgres is away."""
    _log.error("database unavailable", path=request.url.path, reason=str(error))
    return on_api_error(request, DatabaseError("The database is temporarily unavailable"))


def on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[ErrorBody]:
    """Answer 500 and log the traceback; the message tells the sender nothing of the inside."""
    _log.error("unexpected error", method=request.method, path=request.url.path, exc_info=error)
    return answer("INTERNAL_ERROR", 500, "Internal server error")


HANDLERS: ExceptionHandlersMap = {
    ApiError: on_api_error,
    HTTPException: on_http_exception,
    psycopg.OperationalError: on_database_error,
    sqlalchemy.exc.OperationalError: on_database_error,
    sqlalchemy.exc.TimeoutError: on_database_error,
    Exception: on_unexpected,
}
"""For `Litestar(exception_handlers=…)`."""
