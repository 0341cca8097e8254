"""Tasks that run beside the requests: one that ends by an exception is reported, never lost."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog

_log = structlog.get_logger("ingest.background")


def spawn(
    name: str, work: Coroutine[Any, Any, None], on_failure: Callable[[str, BaseException], None] | None = None
) -> "asyncio.Task[None]":
    """Start a task; log the exception that ends it and hand it to `on_failure`."""

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            _log.critical("task stopped", task=name, exc_info=failure)
            if on_failure is not None:
                on_failure(name, failure)

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task


async def cancel(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel the tasks and wait until they have ended."""
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    if cancelled:
        await asyncio.wait(cancelled)
