"""The embedded PostgreSQL's lifetime: one server a home, shared by every process that uses it.

A process that uses the server holds a shared lock on `postgres.users`, which it loses however it ends; whoever closes
last stops the server. One that a killed process left running is adopted by the next; one that dies while it is used is
started again by whoever uses it. How a server is made, started and stopped is in `warehouse.postgres.server`;
connections and migrations are the business of `warehouse.postgres`.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import URL

from warehouse.postgres.server import Server, ServerError

WATCH_S = 0.25
"""How often a process looks whether the server that it uses is still there."""

_MAX_PAUSE_S = 2.0
_log = logging.getLogger("warehouse.postgres.embedded")


@contextmanager
def running(home: Path) -> Iterator[URL]:
    """Keep the server of this home running inside the block; yield the URL of its database.

    Raises `warehouse.postgres.server.ServerError` or `warehouse.postgres.privileges.PrivilegeError`. A forked process
    needs a block of its own: it shares the lock of its parent, and would stop the server with it.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = Server(home.resolve())
    lock, users = server.home / "postgres.lock", server.home / "postgres.users"
    with _locked(users, fcntl.LOCK_SH) as using:
        with _locked(lock, fcntl.LOCK_EX):
            url = server.start()
        try:
            with _watched(server, lock):
                yield url
        finally:
            with _locked(lock, fcntl.LOCK_EX):
                if _is_last(using):
                    _stop(server)


def _stop(server: Server) -> None:
    # It has been told; what keeps it is no reason to keep its user, and whoever comes next waits for it or adopts it.
    try:
        server.stop()
    except ServerError as error:
        _log.error("the embedded PostgreSQL has not stopped yet: %s", error)


@contextmanager
def _watched(server: Server, lock: Path) -> Iterator[None]:
    """Start the server again whenever it dies inside the block, on its old port: its URL is in many hands."""
    ended = threading.Event()

    def watch() -> None:
        pause = WATCH_S
        while not ended.wait(pause):
            if server.runs():
                pause = WATCH_S
                continue
            try:
                with _locked(lock, fcntl.LOCK_EX):
                    server.restart()
            except (ServerError, psycopg.Error, OSError) as error:
                pause = min(pause * 2, _MAX_PAUSE_S)
                _log.error("the embedded PostgreSQL died and does not start again: %s", error)
            else:
                _log.warning("the embedded PostgreSQL had died and runs again")

    watcher = threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[int]:
    # Python's descriptors are closed in the programs it runs, so that the server never holds a lock.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_last(using: int) -> bool:
    try:
        fcntl.flock(using, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
