"""A real endpoint on a free port, for tests over HTTP."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from ingest.app import create_app
from ingest.connections import Protocol, WebSockets
from ingest.settings import IngestSettings
from warehouse.access.keys import UNLIMITED
from warehouse.settings import StorageSettings

KEY = {"X-API-Key": "dev-key"}
SETTINGS = IngestSettings(rate_limit=UNLIMITED)
"""Tests of everything but the rate limit send as much as they like."""


@contextmanager
def serving(
    storage: StorageSettings, settings: IngestSettings | None = None, *, send_bytes: int | None = None
) -> Iterator[httpx.Client]:
    """Serve in a thread; yield a client with the key that is always valid.

    `send_bytes` is what the kernel holds of each connection for a client that does not read; by default it grows.
    """
    app = create_app(settings or SETTINGS, storage)
    server = uvicorn.Server(
        uvicorn.Config(
            app, loop="uvloop", http=Protocol, ws=WebSockets, lifespan="on", log_config=None, access_log=False
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if send_bytes is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_bytes)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            while not server.started:
                if not thread.is_alive():
                    raise RuntimeError("the endpoint did not start")
                time.sleep(0.01)
            port = listening.getsockname()[1]
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=KEY, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
