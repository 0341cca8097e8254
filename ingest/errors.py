"""The one error format and its codes. What turns exceptions into it is in `error_answers`.

`{"error": {"code", "message", "timestamp"}}`, timestamp in epoch milliseconds. Raise a subclass of `ApiError` anywhere
in ingest; a message is written for the sender and names the field. Nothing here decides whether input is valid.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

RETRY_AFTER_S = 1
"""What `Retry-After` says when nothing better is known."""


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
