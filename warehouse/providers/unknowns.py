"""Ids that a provider said not to know, remembered for a while so that it is not asked again.

What is known is kept by whoever asked, in the database. For one event loop.
"""

import time
from collections import OrderedDict

from warehouse.providers.results import Kind, Unknown


class Unknowns:
    """A bounded memory: the oldest goes first."""

    def __init__(self, most: int, ttl_s: float) -> None:
        self._most = most
        self._ttl_s = ttl_s
        self._entries: OrderedDict[tuple[Kind, int | str], tuple[float, Unknown]] = OrderedDict()

    def add(self, unknown: Unknown) -> None:
        """Remember one answer from now on."""
        key = unknown.kind, unknown.id
        self._entries.pop(key, None)
        self._entries[key] = time.monotonic() + self._ttl_s, unknown
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def get(self, kind: Kind, one: int | str) -> Unknown | None:
        """Return the remembered answer, None where there is none or it is too old."""
        until, unknown = self._entries.get((kind, one), (0.0, None))
        if unknown is not None and time.monotonic() >= until:
            del self._entries[kind, one]
            return None
        return unknown
