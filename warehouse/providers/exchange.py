"""One request and its answer: timeouts, Retry-After, what is tried again. Knows HTTP, no provider's meaning.

Nothing is logged here, and what httpx logs of a request holds no key: a key that belongs in the query string is added
below the client, on the wire only.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus

import httpx

from warehouse.providers.pacing import Deadline, Pace
from warehouse.providers.problems import ProviderFailure, Refused

ATTEMPTS = 4
"""Most times that one request is sent."""
_BACKOFF_S = 0.05
_PAUSE_S = 1.0
"""The pause of a 429 that does not say how long."""


class Exchange:
    """Requests to one origin of one provider."""

    def __init__(
        self, provider: str, origin: str, pace: Pace, timeout_s: float, *, query_key: Mapping[str, str] | None = None
    ) -> None:
        self.provider = provider
        self.pace = pace
        self._timeout_s = timeout_s
        # Proxies of the environment would go round the transport that adds the key.
        self._client = httpx.AsyncClient(
            base_url=origin, transport=_Keyed(query_key or {}), timeout=timeout_s, trust_env=False
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(
        self,
        path: str,
        deadline: Deadline,
        *,
        params: Mapping[str, str] | None = None,
        token: str | None = None,
        attempts: int = ATTEMPTS,
    ) -> httpx.Response:
        """Return the answer to a GET, with a bearer token if given. Errors as `send`."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        request = self._client.build_request("GET", path, params=params, headers=headers)
        return await self.send(request, deadline, attempts)

    async def post(
        self,
        path: str,
        deadline: Deadline,
        *,
        json: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return the answer to a POST of JSON or a form. Errors as `send`."""
        request = self._client.build_request("POST", path, json=json, data=form, headers=headers)
        return await self.send(request, deadline, ATTEMPTS)

    async def send(self, request: httpx.Request, deadline: Deadline, attempts: int) -> httpx.Response:
        """Return the first answer that is neither 429 nor 5xx.

        Those are asked again while the deadline allows, not before a Retry-After; a provider that does not answer in
        time is not. Raises ProviderFailure, Refused when the last answer was 5xx.
        """
        for attempt in range(1, attempts + 1):
            await self.pace.admit(deadline)
            try:
                return self._judge(await self._once(request, deadline))
            except _Again as again:
                pause = _BACKOFF_S * 2**attempt
                if attempt == attempts or pause >= deadline.remaining():
                    raise again.failure from None
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _once(self, request: httpx.Request, deadline: Deadline) -> httpx.Response:
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self._timeout_s, deadline.remaining())):
                return await self._client.send(request)
        except (TimeoutError, httpx.TimeoutException):
            waited = time.monotonic() - began
            raise ProviderFailure(f"{self.provider}: did not answer within {waited:.1f} s") from None
        except httpx.ConnectError:
            raise _Again(ProviderFailure(f"{self.provider}: cannot be reached", for_all=True)) from None
        except httpx.HTTPError as error:
            failure = ProviderFailure(f"{self.provider}: the connection broke ({type(error).__name__})")
            raise _Again(failure) from None

    def _judge(self, response: httpx.Response) -> httpx.Response:
        status = response.status_code
        again_s = retry_after(response.headers.get("retry-after"), datetime.now(UTC))
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise _Again(self.slow_down(_PAUSE_S if again_s is None else again_s))
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            reason = f"answered {status}"
            if again_s is not None:
                self.pace.pause(again_s, reason)
            raise _Again(Refused(f"{self.provider}: {reason}", retry_after_s=again_s))
        return response

    def slow_down(self, seconds: float, reason: str = "asks to slow down") -> ProviderFailure:
        """Ask this provider nothing for some seconds; return the failure that tells so."""
        self.pace.pause(seconds, reason)
        return ProviderFailure(f"{self.provider}: {reason}", retry_after_s=seconds)


class _Again(Exception):  # noqa: N818 # not an error: one more try
    def __init__(self, failure: ProviderFailure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class _Keyed(httpx.AsyncBaseTransport):
    """Adds a key to the query on the wire, so that neither logs nor exceptions of the client see it."""

    def __init__(self, key: Mapping[str, str]) -> None:
        self._key = key
        self._wire = httpx.AsyncHTTPTransport(verify=_certificates())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._key:
            return await self._wire.handle_async_request(request)
        keyed = httpx.Request(
            request.method,
            request.url.copy_merge_params(self._key),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await self._wire.handle_async_request(keyed)

    async def aclose(self) -> None:
        await self._wire.aclose()


@cache
def _certificates() -> ssl.SSLContext:
    """Return the trusted certificates: reading them takes longer than a request."""
    return httpx.create_ssl_context()


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, a number or an HTTP date; None where it is neither."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds())
