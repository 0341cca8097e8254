"""One result an asked id, in order: repeats asked once, several at a time, failures shared.

What one look-up does is the provider's; this knows neither HTTP nor metadata.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from warehouse.providers.problems import ProviderFailure, failed
from warehouse.providers.results import Kind, Metadata, Result, Unknown
from warehouse.providers.unknowns import Unknowns

M = TypeVar("M", bound=Metadata)
I = TypeVar("I", int, str)  # noqa: E741 # an id

_AT_ONCE = 8


class Gathering:
    """Look-ups of many ids; remembers what is unknown."""

    def __init__(self, unknowns: Unknowns) -> None:
        self._unknowns = unknowns

    async def look_up(
        self,
        kind: Kind,
        ids: Sequence[I],
        ask: Callable[[Sequence[I]], Awaitable[Sequence[Result[M]]]],
        *,
        chunk: int = 1,
    ) -> list[Result[M]]:
        """Return one result an id, in order. `ask` gets up to `chunk` different ids, may raise ProviderFailure."""
        results: dict[I, Result[M]] = {}
        for one in dict.fromkeys(ids):
            if unknown := self._unknowns.get(kind, one):
                results[one] = unknown
        asked = [one for one in dict.fromkeys(ids) if one not in results]
        chunks = iter([asked[start : start + chunk] for start in range(0, len(asked), chunk)])
        stopped = _Stopped()
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(_work(kind, chunks, ask, results, stopped))
        for result in results.values():
            if isinstance(result, Unknown):
                self._unknowns.add(result)
        return [results[one] for one in ids]


class _Stopped:
    """The failure that holds for every id still to be asked."""

    failure: ProviderFailure | None = None


async def _work(
    kind: Kind,
    chunks: Iterable[Sequence[I]],
    ask: Callable[[Sequence[I]], Awaitable[Sequence[Result[M]]]],
    results: dict[I, Result[M]],
    stopped: _Stopped,
) -> None:
    for ids in chunks:
        try:
            if stopped.failure is not None:
                raise stopped.failure
            answered = await ask(ids)
        except ProviderFailure as failure:
            if failure.for_all:
                stopped.failure = failure
            answered = [failed(kind, one, failure) for one in ids]
        results.update(zip(ids, answered, strict=True))
