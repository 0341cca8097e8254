"""The endpoint as a user runs it: `playhead serve` in processes of its own, which can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from warehouse.settings import StorageSettings

KEY = "faults-key"
START_S = 180.0
"""How long a start may take: it says nothing of speed, on a machine that others use too."""
STOP_S = 60.0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class NotStartedError(RuntimeError):
    """The endpoint ended, or was not ready in time; the message holds the end of its log."""


class Endpoint:
    """One endpoint on a fixed port, started as often as it is killed; its log is appended to `log`."""

    def __init__(self, storage: StorageSettings, log: Path, *, workers: int = 1) -> None:
        self.storage, self.workers = storage, workers
        self.port = free_port()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"X-API-Key": KEY}, timeout=5, limits=_NO_KEEPALIVE
        )
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Endpoint":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.client.close()

    def start(self) -> None:
        """Start, and return once it takes sessions; raises NotStartedError."""
        command = [sys.executable, "-m", "playhead", "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while not self.answers("/health/ready"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStartedError(f"the endpoint did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def answers(self, path: str) -> bool:
        """Tell whether it answers 200."""
        try:
            return self.client.get(path).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """Kill −9 every process of it."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def kill_worker(self, which: int) -> None:
        """Kill −9 one of its workers; who started it starts another."""
        if self._process is None or not (found := workers_of(self._process.pid)):
            raise RuntimeError("the endpoint has no workers")
        os.kill(found[which % len(found)], signal.SIGKILL)

    def stop(self) -> bool:
        """Stop it as an operator does; tell whether it ended by itself, in time and cleanly."""
        if self._process is None:
            return True
        self._process.terminate()
        try:
            return self._process.wait(STOP_S) in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
        except subprocess.TimeoutExpired:
            return False

    def _environment(self) -> dict[str, str]:
        storage = self.storage
        environment = os.environ | {
            "PLAYHEAD_HOME": str(storage.home),
            "LAKE_URL": storage.lake_url,
            "M3W_API_KEY": KEY,
            "RATE_LIMIT_REQUESTS": "unlimited",
            "LOG_LEVEL": "WARNING",
        }
        environment.pop("DATABASE_URL", None)
        if storage.database_url is not None:
            environment["DATABASE_URL"] = storage.database_url.render_as_string(hide_password=False)
        return environment


_NO_KEEPALIVE = httpx.Limits(max_keepalive_connections=0)


def children_of(pid: int) -> list[int]:
    """Return the processes that this one started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


def workers_of(pid: int) -> list[int]:
    """Return the processes that serve, among those that this one started."""
    return [child for child in children_of(pid) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
