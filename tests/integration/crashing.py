"""A process that lands sessions and dies at a named point (arguments: those of `main`).

It wraps functions of its own process, so that production code knows nothing of it. Every acknowledged session is
written to standard output at once.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from ingest import logs, recovery, sealing
from ingest.journal import Folder, Journal
from ingest.landing import Landing
from ingest.payloads import session
from warehouse import landing as landed
from warehouse.lake import Lake
from warehouse.postgres import Database, open_database
from warehouse.settings import StorageSettings

POINTS: dict[str, tuple[Any, str, str]] = {
    "before the append": (Journal, "append", "before"),
    "after the write, before the journal counts it": (os, "write", "after"),
    "after the append, before the acknowledgement": (Journal, "append", "after"),
    "after the acknowledgement, before following": (landed, "follow", "before"),
    "between statement and commit": (psycopg.Transaction, "__exit__", "before"),
    "after the commit, before sealing": (landed, "follow", "after"),
    "before the quarantine": (landed, "quarantine", "before"),
    "after the quarantine": (landed, "quarantine", "after"),
    "after placements are read": (landed, "placements", "after"),
    "before the append to the lake": (Lake, "append_once", "before"),
    "after the append to the lake, before unlinking": (Lake, "append_once", "after"),
    "after unlinking": (sealing, "seal", "after"),
    "before the folder is removed": (Folder, "remove", "before"),
    "while the folder is removed": (shutil, "rmtree", "before"),
}
ROUNDS, SENDERS = 3, 20


def die_at(owner: Any, name: str, when: str, call: int) -> None:
    """Make the moment before or after the `call`-th call of a function the last of this process."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        if when == "after":
            result = original(*args, **kwargs)
        calls += 1
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result if when == "after" else original(*args, **kwargs)

    setattr(owner, name, dying)


def record(name: str, storage: StorageSettings) -> bytes:
    """Return a landing record; every twentieth is one that Postgres refuses."""
    body = {
        "sessionId": name,
        "sessionStartDateIso": "2026-02-14T10:30:00Z",
        "sessionDurationMs": 45_000,
        "errorCount": 7,
    }
    accepted = session.accept(json.dumps(body).encode(), tenant="acme", now=storage.now()).record
    return accepted.replace(b'"errorCount": 7', b'"errorCount": 7e30') if name.endswith("-7") else accepted


async def land(storage: StorageSettings, database: Database, lake: Lake) -> None:
    """Land sessions concurrently, seal, and again; acknowledge each on standard output."""
    async with Landing.open(storage, database, lake) as landing:

        async def send(name: str) -> None:
            await landing.land([record(name, storage)])
            os.write(1, f"acknowledged {name}\n".encode())

        for turn in range(ROUNDS):
            await asyncio.gather(*(send(f"{os.getpid()}-{turn}-{sender}") for sender in range(SENDERS)))
            await landing.followed()
            await landing.seal()


def main(point: str, call: str, mode: str, home: str, url: str) -> None:
    """Land or drain until the point is reached; reaching none of it is success."""
    storage = StorageSettings(home=Path(home), lake_url=f"{home}/lake", database_url=make_url(url), pool_min=1)
    lake = Lake(storage.lake_url, storage.dimensions)
    logs.configure("ERROR")
    with open_database(storage, migrate=False) as database:
        die_at(*POINTS[point], int(call))
        if mode == "land":
            asyncio.run(land(storage, database, lake))
        else:
            recovery.drain(storage, database, lake, timeout_s=30)


if __name__ == "__main__":
    main(*sys.argv[1:])
