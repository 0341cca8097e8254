"""One limit in one worker: the tokens that are the worker's own, and how many to lease next. No clock, no I/O."""

import asyncio
import time

from warehouse.access.leases import Ask

HOT_S = 1.0
"""A block that is used up within this time was too small; the next one is twice as large."""


class Window:
    """What a worker has of one window."""

    __slots__ = ("left", "number", "owed", "reply", "spent", "tokens")

    def __init__(self, number: int, limit: int) -> None:
        self.number = number
        """Windows since the epoch."""
        self.tokens = 0
        """Requests that may be let pass without asking."""
        self.left = limit
        """Of the limit, what nobody had leased when last heard of."""
        self.owed = 0
        """Tokens that were given without a lease, to be leased afterwards."""
        self.spent = 0
        """Requests that were let pass."""
        self.reply: asyncio.Future[None] | None = None
        """Set while a lease is under way."""

    def answered(self) -> None:
        """Wake who waits for the lease."""
        if self.reply is not None:
            self.reply.set_result(None)
            self.reply = None


class Bucket:
    """The limit of a key, or of a tenant where `key_id` is empty."""

    def __init__(self, tenant: str, key_id: str, limit: int, workers: int) -> None:
        self.tenant = tenant
        self.key_id = key_id
        self.limit = limit
        self.waiting = 0
        """Requests that wait for a lease."""
        self.window = Window(-1, limit)
        self.ahead: Window | None = None
        """The next window, when its first lease has been asked for already."""
        self._workers = workers
        self._asked_at = 0.0
        self.block = self._smallest()
        """Tokens to lease next; it grows and shrinks with the traffic."""

    def at(self, number: int) -> Window:
        """Return the window with this number, turning to it when it has begun."""
        if self.window.number != number:
            ahead = self.ahead
            self.window = ahead if ahead is not None and ahead.number == number else Window(number, self.limit)
            self.ahead = None
        return self.window

    def take(self) -> Window:
        """Let one request pass; there must be a token."""
        self.window.tokens -= 1
        self.window.spent += 1
        return self.window

    def ask(self, window: Window, window_s: int) -> Ask:
        """Say what to lease: a block, what waits, what is owed. Near the end blocks shrink, for others want some."""
        now = time.monotonic()
        largest = max(self.limit // (4 * self._workers), 1)
        grown = self.block * 2 if now - self._asked_at < HOT_S else self.block // 2
        self.block = max(self._smallest(), min(grown, largest))
        self._asked_at = now
        fair = max(window.left // (2 * self._workers), 1)
        wanted = min(max(min(self.block, fair), self.waiting) + window.owed, self.limit)
        return Ask(self.tenant, self.key_id, window.number * window_s, wanted)

    def leased(self, window: Window, wanted: int, total: int) -> None:
        """Take over what a lease brought: of what was wanted, the part below the limit."""
        granted = max(min(wanted, self.limit - (total - wanted)), 0)
        paid = min(window.owed, granted)
        window.owed -= paid
        window.tokens += granted - paid
        window.left = max(self.limit - total, 0)

    def lend(self, window: Window) -> None:
        """Give this worker's equal share of the limit without a lease, as far as nobody is known to have leased it."""
        share = max(self.limit // self._workers, 1)
        more = min(share - window.spent - window.tokens, window.left)
        if more > 0:
            window.tokens += more
            window.owed += more
            window.left -= more

    def resize(self, limit: int) -> None:
        """Hold another limit from now on, in the windows that have begun too."""
        for window in (self.window, self.ahead):
            if window is not None:
                window.left = max(window.left + limit - self.limit, 0)
                window.tokens = min(window.tokens, limit)
        self.limit = limit
        self.block = self._smallest()

    def _smallest(self) -> int:
        return max(self.limit // (16 * self._workers), 1)
