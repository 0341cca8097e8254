"""The endpoint as its user runs it: `playhead serve` in processes of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

START_S = 60.0
STOP_S = 30.0


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def served(environment: Mapping[str, str], log: Path, *, workers: int = 1) -> Iterator[str]:
    """Serve until the block ends; yield the base URL."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "playhead", "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output)
        try:
            _await_ready(process, base, log)
            yield base
        finally:
            process.terminate()
            process.wait(STOP_S)


def _await_ready(process: "subprocess.Popen[bytes]", base: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{base}/health/ready", timeout=1).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())


@contextmanager
def workers_of(base: str, count: int) -> Iterator[list[httpx.Client]]:
    """Yield one kept connection to each of `count` workers, until the block ends."""
    found: dict[str, httpx.Client] = {}
    deadline = time.monotonic() + START_S
    with ExitStack() as opened:
        while len(found) < count:
            assert time.monotonic() < deadline, f"only {len(found)} workers answer"
            client = opened.enter_context(httpx.Client(base_url=base, timeout=30))
            found.setdefault(client.get("/health").headers["x-request-id"].partition("-")[0], client)
        yield list(found.values())
