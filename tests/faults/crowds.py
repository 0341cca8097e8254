"""Clients that take but do not give: they open connections and finish nothing. Bounded in number and time."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from tests.faults.endpoint import KEY
from tests.faults.senders import answer, body, request

DRIP_S = 0.2
_LOST = (OSError, asyncio.IncompleteReadError)
Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event], Awaitable[None]]


async def slow_header(_: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: asyncio.Event) -> None:
    """Send a header byte by byte and never end it."""
    writer.write(b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    await _drip(writer, ended)


async def slow_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: asyncio.Event) -> None:
    """Announce a body, send it byte by byte and never end it."""
    head = f"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\n"
    writer.write(head.encode() + b"Content-Length: 100000\r\n\r\n{")
    await _drip(writer, ended)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter, ended: asyncio.Event) -> None:
    """Send nothing, until the connection is cut."""
    cut = asyncio.ensure_future(reader.readexactly(1))
    over = asyncio.ensure_future(ended.wait())
    await asyncio.wait((cut, over), return_when=asyncio.FIRST_COMPLETED)
    if not over.done():
        over.cancel()
        await cut
    cut.cancel()


async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: asyncio.Event) -> None:
    """Ask for more than the connection's buffers hold, and read no answer."""
    writer.write(b"GET /docs/assets/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 4)
    await ended.wait()


async def _drip(writer: asyncio.StreamWriter, ended: asyncio.Event) -> None:
    while not ended.is_set():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(DRIP_S)


@contextmanager
def crowd(port: int, counts: dict[Client, int]) -> Iterator[Counter[str]]:
    """Keep so many clients of each kind connected inside the block; yields how many are `connected`, and `lost`."""
    state: Counter[str] = Counter()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def one(client: Client) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            state["connected"] += 1
            await client(reader, writer, ended)
            writer.transport.abort()
        except _LOST:
            state["lost"] += 1

    async def everyone() -> None:
        await asyncio.gather(*(one(client) for client, count in counts.items() for _ in range(count)))

    thread = threading.Thread(target=loop.run_until_complete, args=(everyone(),), name="crowd")
    thread.start()
    try:
        yield state
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def flood(port: int, connections: int, prefix: str) -> tuple[list[str], Counter[int]]:
    """Open many connections at once, then send one session on each; return the acknowledged ones, and the statuses.

    Status 0 is a connection that was refused or lost.
    """
    acknowledged: list[str] = []
    statuses: Counter[int] = Counter()

    async def one(number: int, all_here: asyncio.Barrier) -> None:
        name = f"{prefix}-{number}"
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            statuses[0] += 1
            await all_here.wait()
            return
        await all_here.wait()
        try:
            writer.write(request(body(name, number)))
            status = await asyncio.wait_for(answer(reader), 30)
        except (*_LOST, TimeoutError):
            status = 0
        writer.close()
        statuses[status] += 1
        if status == 200:
            acknowledged.append(name)

    async def main() -> None:
        all_here = asyncio.Barrier(connections)
        await asyncio.gather(*(one(number, all_here) for number in range(connections)))

    asyncio.run(main())
    return acknowledged, statuses
