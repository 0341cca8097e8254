"""Serving the application: uvicorn with uvloop and httptools, in this process or in several workers.

Granian, alternated with it over three rounds, took 0.97 to 1.3 times as many sessions a second with the same tail, at
the price of a second process beside each worker; writing answers at once (`ingest.connections`) brought 1.3 times.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvicorn
from litestar import Litestar
from uvicorn.supervisors import Multiprocess

from ingest import logs
from ingest.app import create_app
from ingest.connections import Protocol, WebSockets
from ingest.metrics import SHARED
from ingest.settings import IngestSettings
from warehouse.settings import StorageSettings
from warehouse.store import open_store

SHUTDOWN_S = 10
"""How long requests in flight may take when the server stops."""

BACKLOG = 2048

WS_BYTES = 64 << 10
"""Longest message of a WebSocket's client."""

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a name of its own is made in it

MakeApp = Callable[[IngestSettings, StorageSettings], Litestar]


def run(*, host: str | None = None, port: int | None = None, workers: int = 1) -> None:
    """Serve until interrupted, with the settings of the environment; `host` and `port` go before them.

    Raises SettingsError when a setting cannot be used.
    """
    settings = IngestSettings.from_environ(host=host, port=port)
    serve(settings, StorageSettings.from_environ(), workers=workers)


def serve(settings: IngestSettings, storage: StorageSettings, *, workers: int = 1, make: MakeApp | None = None) -> None:
    """Serve until interrupted. Each worker is a process with a journal folder of its own, and makes its application."""
    settings = replace(settings, workers=workers)
    app = partial(make or application, settings, storage)
    logs.configure(settings.log_level)
    if workers == 1:
        uvicorn.Server(_config(app, settings)).run()
        return
    shared = Path(tempfile.mkdtemp(prefix="playhead-metrics-", dir=_in_memory()))
    os.environ[SHARED] = str(shared)
    try:
        with open_store(storage, migrate=False):  # keeps the embedded server up while workers come and go
            config = _config(app, settings, workers)
            Multiprocess(config, sockets=[config.bind_socket()]).run()
    finally:
        del os.environ[SHARED]
        shutil.rmtree(shared)


def _in_memory() -> str | None:
    """Return a folder in memory for files that workers map: on a full disk, writing to one ends the process."""
    return SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None


def application(settings: IngestSettings, storage: StorageSettings) -> Litestar:
    """Make the application in the worker that serves it."""
    logs.configure(settings.log_level)
    app = create_app(settings, storage)
    app.on_startup.append(_settle_heap)
    return app


def _settle_heap() -> None:
    """Exempt what lives as long as the process from garbage collection.

    A full collection of the imported modules stops every request for 40 to 90 ms, several times a second under load.
    """
    gc.collect()
    gc.freeze()


def _config(app: Callable[[], Litestar], settings: IngestSettings, workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=workers,
        loop="uvloop",
        http=Protocol,
        ws=WebSockets,
        ws_max_size=WS_BYTES,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
