"""The envelope of the analytics routes: `success`, `data` or `error`, `timestamp`, with the codes of `errors`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from litestar import Request, Response
from litestar.types import ExceptionHandlersMap

from ingest.error_answers import HANDLERS
from ingest.errors import ErrorBody

T = TypeVar("T")


class Success(msgspec.Struct, Generic[T]):
    """What a route of the family answers."""

    data: T
    timestamp: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    success: Literal[True] = True


class Problem(msgspec.Struct):
    """What went wrong."""

    code: str
    message: str
    details: dict[str, Any] = msgspec.field(default_factory=dict)


class Failure(msgspec.Struct):
    """What a route of the family answers where it cannot do what was asked."""

    error: Problem
    timestamp: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    success: Literal[False] = False


def _enveloped(handler: Callable[[Any, Any], Response[ErrorBody]]) -> Callable[[Any, Any], Response[Failure]]:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Failure]:
        plain = handler(request, error)
        problem = Problem(plain.content.error.code, plain.content.error.message)
        return Response(
            Failure(problem), status_code=plain.status_code or 500, headers=plain.headers, media_type="application/json"
        )

    return handle


ENVELOPED: ExceptionHandlersMap = {kind: _enveloped(handler) for kind, handler in HANDLERS.items()}
"""For the `exception_handlers` of a route."""
