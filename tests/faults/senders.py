"""Clients that behave as an SDK does: each session is sent again until it is acknowledged.

They speak HTTP on bare sockets, so that two processors are left to what is tested. What must have become of the
sessions is in `tests.faults.verifying`.
"""

import asyncio
import json
import threading
from collections import Counter
from types import TracebackType

from tests.faults.endpoint import KEY

ANSWER_S = 5.0
"""How long an answer may take before it counts as hanging."""

DAY_MS, START_MS = 86_400_000, 1_771_065_000_000
DAYS, RESENT_EVERY = 3, 10
_GONE = (ConnectionError, asyncio.IncompleteReadError)


def body(name: str, number: int, *, resent: bool = False) -> bytes:
    """Return a session of one of three days; the second send of a session says something newer."""
    start = START_MS + number % DAYS * DAY_MS + number
    said = {"sessionId": name, "timestamp": start + resent, "playTimeMs": number, "title": "x" * (number % 400)}
    return json.dumps(said).encode()


class Senders:
    """Sends in a thread inside a `with` block; `acknowledged` and `statuses` grow meanwhile."""

    def __init__(self, port: int, prefix: str, *, count: int = 16) -> None:
        self.acknowledged: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.hung = 0
        """Requests that were not answered in time although the connection held."""
        self._port, self._prefix, self._count = port, prefix, count
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="senders")

    def __enter__(self) -> "Senders":
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Send nothing new; return when every request in flight is over."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        async def main() -> None:
            await asyncio.gather(*(_Sender(self, number).run() for number in range(self._count)))

        asyncio.run(main())

    @property
    def stopping(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._stopping.is_set()

    @property
    def address(self) -> tuple[str, int]:
        """Where to send."""
        return "127.0.0.1", self._port

    def name(self, sender: int, number: int) -> str:
        """Return the id of a session."""
        return f"{self._prefix}-{sender}-{number}"


class _Sender:
    def __init__(self, all_: Senders, number: int) -> None:
        self._all, self._number = all_, number
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        number = 0
        while not self._all.stopping:
            name = self._all.name(self._number, number)
            if await self._until_acknowledged(body(name, number)):
                self._all.acknowledged.append(name)
                if number % RESENT_EVERY == 0:
                    await self._until_acknowledged(body(name, number, resent=True))
            number += 1
        self._close()

    async def _until_acknowledged(self, content: bytes) -> bool:
        while not self._all.stopping:
            try:
                status = await asyncio.wait_for(self._send(content), ANSWER_S)
            except TimeoutError:
                self._all.hung += 1
                self._close()
            except _GONE:
                self._close()
                await asyncio.sleep(0.02)
            else:
                self._all.statuses[status] += 1
                if status == 200:
                    return True
                await asyncio.sleep(0.05)
        return False

    async def _send(self, content: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._all.address)
        reader, writer = self._streams
        writer.write(request(content))
        await writer.drain()
        return await answer(reader)

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def request(content: bytes) -> bytes:
    """Return the bytes of one request."""
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer; return its status. Raises IncompleteReadError when the connection ends before."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length:")[2].partition("\r\n")[0])
    await reader.readexactly(length)
    return int(head.split(" ", 2)[1])
