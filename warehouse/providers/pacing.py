"""When a provider may be asked: the caller's deadline, the provider's rate, and pauses that the provider ordered.

What is asked, and what an answer means, is not known here. All times are of the monotonic clock, so that a fixed or
corrected wall clock does not matter. For one event loop.
"""

import asyncio
import time

from warehouse.providers.problems import ProviderFailure


class Deadline:
    """The time by which a caller wants its answer."""

    def __init__(self, within_s: float) -> None:
        self.at = time.monotonic() + within_s

    def remaining(self) -> float:
        """Return the seconds left, 0 when there are none."""
        return max(0.0, self.at - time.monotonic())


class Pace:
    """A token bucket of one second's requests, which the provider may also close for a while."""

    def __init__(self, provider: str, requests_per_s: float) -> None:
        self.provider = provider
        self._gap = 1 / requests_per_s
        self._tolerance = max(0.0, 1.0 - self._gap)
        self._next = 0.0
        self._open_at = 0.0
        self._reason = ""

    def pause(self, seconds: float, reason: str) -> None:
        """Ask nothing for some seconds. The longer of two pauses holds."""
        until = time.monotonic() + seconds
        if until > self._open_at:
            self._open_at, self._reason = until, reason

    async def admit(self, deadline: Deadline) -> None:
        """Wait for a turn; raise ProviderFailure at once where it would come after the deadline."""
        while (pause := self._open_at - time.monotonic()) > 0:
            if time.monotonic() + pause >= deadline.at:
                raise ProviderFailure(f"{self.provider}: {self._reason}", retry_after_s=pause, for_all=True)
            await asyncio.sleep(pause)
        now = time.monotonic()
        turn = max(now, self._next - self._tolerance)
        if turn >= deadline.at:
            raise ProviderFailure(
                f"{self.provider}: no time left within the deadline", retry_after_s=turn - now, for_all=True
            )
        self._next = max(now, self._next) + self._gap
        if turn > now:
            await asyncio.sleep(turn - now)
            if self._open_at > time.monotonic():
                await self.admit(deadline)
