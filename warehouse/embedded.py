"""The embedded PostgreSQL's lifetime: one server a home, shared by every process that uses it.

A process that uses the server holds a shared lock on `postgres.users`, which it loses however it ends; whoever closes
last stops the server. One that a killed process left running is adopted by the next. How a server is made, started and
stopped is in `warehouse.server`; connections and migrations are the business of `warehouse.postgres`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from warehouse.server import Server


@contextmanager
def running(home: Path) -> Iterator[URL]:
    """Keep the server of this home running inside the block; yield the URL of its database.

    Raises `warehouse.server.ServerError` or `warehouse.privileges.PrivilegeError`. A forked process needs a block of
    its own: it shares the lock of its parent, and would stop the server with it.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = Server(home.resolve())
    lock, users = server.home / "postgres.lock", server.home / "postgres.users"
    with _locked(users, fcntl.LOCK_SH) as using:
        with _locked(lock, fcntl.LOCK_EX):
            url = server.start()
        try:
            yield url
        finally:
            with _locked(lock, fcntl.LOCK_EX):
                if _is_last(using):
                    server.stop()


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
