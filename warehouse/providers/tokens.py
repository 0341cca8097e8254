"""Access tokens: one log-in for as long as the token holds, shared by all who wait for it, once more on a 401.

How a provider logs in is in its module. For one event loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from warehouse.providers.exchange import Exchange
from warehouse.providers.pacing import Deadline
from warehouse.providers.problems import ProviderFailure

_MARGIN = 0.02
"""The share of its life for which a token is no longer used, so that it does not end on the way."""


@dataclass(frozen=True)
class Grant:
    """A token and the seconds for which it holds."""

    token: str
    holds_s: float


class Tokens:
    """The cached token of one provider."""

    def __init__(self, provider: str, log_in: Callable[[Deadline], Awaitable[Grant]]) -> None:
        self._provider = provider
        self._log_in = log_in
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._until = 0.0
        self._failure: ProviderFailure | None = None
        self._failed_at = 0.0

    async def get(self, deadline: Deadline) -> str:
        """Return a token that holds; log in where there is none. Raises ProviderFailure, to all who waited."""
        arrived = time.monotonic()
        try:
            async with asyncio.timeout(deadline.remaining()), self._lock:
                if self._token is None or time.monotonic() >= self._until:
                    if self._failure is not None and self._failed_at >= arrived:
                        raise self._failure
                    return await self._renew(deadline)
                return self._token
        except TimeoutError:
            raise ProviderFailure(f"{self._provider}: no time left to log in", for_all=True) from None

    async def _renew(self, deadline: Deadline) -> str:
        try:
            grant = await self._log_in(deadline)
        except ProviderFailure as failure:
            self._failure, self._failed_at = failure, time.monotonic()
            raise
        self._token = grant.token
        self._until = time.monotonic() + grant.holds_s * (1 - _MARGIN)
        return grant.token

    def drop(self, token: str) -> None:
        """Forget a token that the provider refused, unless another has taken its place."""
        if token == self._token:
            self._token = None


async def get_with_token(
    exchange: Exchange, tokens: Tokens, path: str, deadline: Deadline, params: dict[str, str] | None = None
) -> httpx.Response:
    """Return the answer to a GET; on a 401 log in again, once. Raises ProviderFailure."""
    token = await tokens.get(deadline)
    response = await exchange.get(path, deadline, params=params, token=token)
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        tokens.drop(token)
        response = await exchange.get(path, deadline, params=params, token=await tokens.get(deadline))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        raise ProviderFailure(f"{exchange.provider}: refused the token of a fresh log-in", for_all=True)
    return response
