"""The load of the landing benchmark: one thread over raw sockets, lean enough that the server is what is measured.

Every request is a session of its own. What is loaded and how results are judged is in `landing`.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

HEAD = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
BODY = (
    b'{"sessionId":"%b","sessionStartDateIso":"2026-02-14T10:30:00.000Z","sessionDurationMs":45000,'
    b'"timestamp":1771065045000,"startupTimeMs":450,"rebufferTimeMs":1200,"rebufferCount":2,"playTimeMs":42000,'
    b'"rebufferRatio":0.028,"totalDroppedFrames":12,"totalSeekCount":1,"totalSeekTimeMs":300,'
    b'"meanVideoFormatBitrate":2500000,"errorCount":0,"contentId":"media_xyz","streamType":"dash",'
    b'"appVersion":"1.4.0","deviceModel":"Pixel 9","networkType":"wifi"}'
)
CONNECTIONS = 64
BATCH_CONNECTIONS = 4
BATCH_LINES = 2_000
PATH = "/v1/sessions"
LENGTH = b"content-length: "
RECEIVE_BYTES = 4096


@dataclass
class Load:
    """What came back: answers by status, seconds of the load and of each 200."""

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """Requests that were answered 200."""
        return self.statuses.get(200, 0)

    def latency_ms(self, quantile: float) -> float:
        """Return a quantile of the time to answer."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * quantile), len(ordered) - 1)] * 1000 if ordered else float("nan")


def requests(path: str, key: str, name: str, lines: int | None = None) -> Iterator[bytes]:
    """Yield HTTP requests, of one session each, or of so many lines of NDJSON; no session comes twice."""
    media_type = b"application/json" if lines is None else b"application/x-ndjson"
    before, after = BODY.split(b"%b")
    size = (lines or 1) * (len(before) + len(f"{name}-{0:09d}") + len(after) + 1) - 1
    head = HEAD % (path.encode(), key.encode(), media_type, size)
    number = 0
    while True:
        first, number = number, number + (lines or 1)
        yield head + b"\n".join([b"%b%b-%09d%b" % (before, name.encode(), at, after) for at in range(first, number)])


class _Connection:
    __slots__ = ("received", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def answer(self) -> int | None:
        """Take what came; return the status once the answer is whole. Names of headers must come in lower case."""
        part = self.socket.recv(RECEIVE_BYTES)
        if not part:
            raise ConnectionError("the server closed a connection")
        received = self.received + part
        head = received.find(b"\r\n\r\n")
        if head < 0 or len(received) < head + 4 + _content_length(received, head):
            self.received = received
            return None
        self.received = b""
        return int(received[9:12])


def _content_length(received: bytes, head: int) -> int:
    at = received.index(LENGTH, 0, head) + len(LENGTH)
    return int(received[at : received.index(b"\r\n", at)])


def drive(port: int, sends: Iterator[bytes], *, seconds: float, connections: int, rate: float | None = None) -> Load:
    """Send for so many seconds, on every connection as soon as it is free, or `rate` requests a second in all.

    With a rate a request's time counts from when it was due, so that a stall of the server is seen by all of them.
    """
    load = Load()
    every = {connection.socket.fileno(): connection for connection in (_Connection(port) for _ in range(connections))}
    idle = deque(every.values())
    poller = select.epoll()
    for descriptor in every:
        poller.register(descriptor, select.EPOLLIN)
    clock = time.perf_counter
    busy = due = 0
    started = clock()
    end = started + seconds
    while (now := clock()) < end or busy:
        while idle and now < end and (rate is None or due <= (now - started) * rate):
            connection = idle.popleft()
            connection.sent_at = clock() if rate is None else started + due / rate
            connection.socket.sendall(next(sends))
            due, busy = due + 1, busy + 1
        for descriptor, _ in poller.poll(0.0005 if rate else 1.0):
            connection = every[descriptor]
            if (status := connection.answer()) is None:
                continue
            load.statuses[status] = load.statuses.get(status, 0) + 1
            if status == 200:
                load.latencies.append(clock() - connection.sent_at)
            busy -= 1
            idle.append(connection)
    load.seconds = clock() - started
    poller.close()
    for connection in every.values():
        connection.socket.close()
    return load
