"""Tasks that run beside the requests: one that ends by an exception is reported, never lost."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

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


async def aside(call: Callable[[], T]) -> T:
    """Return what a call that may wait for Postgres returns, made in a thread that nothing waits for at the end.

    The threads of `asyncio.to_thread` are joined when the process ends: with a frozen Postgres it would never end.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(outcome: T | None, failure: Exception | None) -> None:
        if done.cancelled():
            return
        if failure is not None:
            done.set_exception(failure)
        else:
            done.set_result(outcome)  # type: ignore[arg-type]

    def run() -> None:
        outcome, failure = None, None
        try:
            outcome = call()
        except Exception as error:  # noqa: BLE001 - raised again where the call is awaited
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, outcome, failure)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done
