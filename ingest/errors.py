"""The one error format, its codes, and what turns exceptions into it.

`{"error": {"code", "message", "timestamp"}}`, timestamp in epoch milliseconds. Raise a subclass of `ApiError` anywhere
in ingest; a message is written for the sender and names the field. Nothing here decides whether input is valid.
"""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import psycopg
import sqlalchemy.exc
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

RETRY_AFTER_S = 1
"""What `Retry-After` says when nothing better is known."""

_log = structlog.get_logger("ingest")


class ErrorDetail(msgspec.Struct):
    """What went wrong."""

    code: str
    message: str
    timestamp: int
    """Epoch milliseconds."""


class ErrorBody(msgspec.Struct):
    """The body of every 4xx and 5xx answer."""

    error: ErrorDetail


class ApiError(Exception):
    """An answer in the error format; subclasses fix code and status."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})


class InvalidSchema(ApiError):
    """The body breaks its contract; the message names the field."""

    code, status = "INVALID_SCHEMA", 400


class InvalidApiKey(ApiError):
    """No key, or one that is not valid."""

    code, status = "INVALID_API_KEY", 401

    def __init__(self) -> None:
        super().__init__("Invalid or missing API Key")


class Forbidden(ApiError):
    """The key is valid but lacks the scope."""

    code, status = "FORBIDDEN", 403


class NotFound(ApiError):
    """What the request names does not exist."""

    code, status = "NOT_FOUND", 404


class InvalidParameter(ApiError):
    """A query parameter cannot be used; the message names it."""

    code, status = "INVALID_PARAMETER", 422


class RequestTimeout(ApiError):
    """The body did not arrive in time."""

    code, status = "REQUEST_TIMEOUT", 408

    def __init__(self, message: str) -> None:
        super().__init__(message, {"Connection": "close"})


class PayloadTooLarge(ApiError):
    """The body, or what it inflates to, is over the route's limit."""

    code, status = "PAYLOAD_TOO_LARGE", 413


class UnsupportedMediaType(ApiError):
    """A media type, charset or encoding that the route does not take."""

    code, status = "UNSUPPORTED_MEDIA_TYPE", 415


class _TryAgain(ApiError):
    def __init__(self, message: str, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(message, {"Retry-After": str(retry_after_s)})


class RateLimitExceeded(_TryAgain):
    """More requests in this window than the key or its tenant may send; nothing of this one is read."""

    code, status = "RATE_LIMIT_EXCEEDED", 429

    def __init__(self, message: str, retry_after_s: int, headers: Mapping[str, str]) -> None:
        super().__init__(message, retry_after_s)
        self.headers.update(headers)


class DatabaseError(_TryAgain):
    """Postgres is needed for the answer and cannot be reached."""

    code, status = "DATABASE_ERROR", 503


class ProviderUnavailable(ApiError):
    """A metadata provider is needed for the answer and gave none."""

    code, status = "PROVIDER_ERROR", 502


class Overloaded(_TryAgain):
    """More is waiting than the bounds allow."""

    code, status = "OVERLOADED", 503


class StorageFailed(ApiError):
    """The journal could not be written; nothing of the request is kept."""


class StorageFull(_TryAgain):
    """The journal's disk is full; nothing of the request is kept."""

    code, status = "STORAGE_FULL", 507


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
    message = "Body is larger than the limit" if status == 413 else error.detail
    request.scope["state"]["error"] = message
    return answer(code, status, message, error.headers)


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
