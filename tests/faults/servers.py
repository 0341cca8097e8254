"""What can befall the Postgres of a home: it is killed, frozen, or stopped and started."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.endpoint import children_of
from warehouse.postgres import embedded
from warehouse.postgres.server import Server
from warehouse.settings import StorageSettings


def postmaster(home: Path) -> int | None:
    """Return the process id of the server's first process, None while there is none."""
    path = home / "postgres" / "postmaster.pid"
    try:
        return int(path.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def kill(home: Path) -> bool:
    """Kill −9 the server's first process; tell whether there was one."""
    pid = postmaster(home)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def frozen(home: Path) -> Iterator[None]:
    """Freeze every process of the server inside the block: connections stay open and nothing answers."""
    first = postmaster(home)
    if first is None:
        raise RuntimeError("there is no server to freeze")
    processes = [first, *children_of(first)]
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal([*processes, *children_of(first)], signal.SIGCONT)


@contextmanager
def named(storage: StorageSettings) -> Iterator[tuple[Server, StorageSettings]]:
    """Run a server that the settings name: nobody starts it again when it stops."""
    home = storage.home.with_name(f"{storage.home.name}-server")
    with embedded.running(home):
        pass  # made
    server = Server(home.resolve())
    url = server.start()
    try:
        yield server, StorageSettings(home=storage.home, lake_url=storage.lake_url, database_url=url, pool_min=1)
    finally:
        server.stop()


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """Stop the server inside the block."""
    server.stop()
    try:
        yield
    finally:
        server.restart()


def wait_until_back(home: Path, killed: int | None, seconds: float = 60.0) -> None:
    """Return when another first process runs than the one that was killed."""
    deadline = time.monotonic() + seconds
    while (now := postmaster(home)) is None or now == killed:
        if time.monotonic() > deadline:
            raise TimeoutError("Postgres was not started again")
        time.sleep(0.05)


def _signal(processes: list[int], number: int) -> None:
    for pid in dict.fromkeys(processes):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
