"""The processes of the landing benchmark, on one embedded PostgreSQL with a database each, in a folder that is removed.

What they are asked is in `landing`.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import URL

from ingest import recovery
from tests.faults.endpoint import children_of
from warehouse.access.keys import UNLIMITED, create_key
from warehouse.datasets import RAW_SESSIONS
from warehouse.postgres import embedded, open_database
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

START_S = 60.0


@dataclass
class Server:
    """A running server and the database behind it."""

    process: subprocess.Popen[bytes]
    port: int
    database: psycopg.Connection
    client: httpx.Client

    def get(self, path: str) -> httpx.Response:
        return self.client.get(f"http://127.0.0.1:{self.port}{path}")

    def rows(self) -> int:
        row = self.database.execute("SELECT count(*) FROM sessions").fetchone()
        return int(row[0]) if row else 0

    def rss_mb(self) -> float:
        return _rss_mb(self.process.pid)


@dataclass
class Ours(Server):
    """The endpoint, with a key that no limit holds for."""

    key: str
    store: Store

    def metric(self, name: str) -> float:
        line = next(line for line in self.get("/metrics").text.splitlines() if line.startswith(f"{name} "))
        return float(line.split()[1])

    def wait_followed(self) -> float:
        """Return the seconds until Postgres had everything that was acknowledged."""
        started = time.perf_counter()
        while self.metric("landing_backlog"):
            time.sleep(0.005)
        return time.perf_counter() - started

    def lags(self) -> list[float]:
        taken: list[float] = self.get("/benchmark/lags").json()
        return taken

    def sealing_rss_mb(self) -> float | None:
        """Return the resident memory of the sealing process; None where there is none."""
        sealing = [pid for pid in children_of(self.process.pid) if b"sealing_process" in _command(pid)]
        return _rss_mb(sealing[0]) if sealing else None

    def seconds_to_seal(self) -> float:
        started = time.perf_counter()
        recovery.drain(self.store.settings, self.store.database, self.store.lake, timeout_s=120)
        return time.perf_counter() - started

    def seal(self) -> int:
        """Have everything sealed; return the rows of the raw table."""
        self.seconds_to_seal()
        return sum(self.store.lake.row_counts(RAW_SESSIONS).values())


@contextmanager
def running() -> Iterator[tuple[Ours, Server]]:
    """Start the endpoint and its peer; stop them, and their PostgreSQL, afterwards."""
    home = Path(tempfile.mkdtemp(prefix="playhead-benchmark-"))
    try:
        with embedded.running(home / "postgres") as url:
            ours_url, peer_url = _create(url, "ours"), _create(url, "peer")
            storage = StorageSettings(home=home, lake_url=str(home / "lake"), database_url=ours_url)
            with open_database(storage) as database, database.connect() as connection:
                key = create_key(connection, tenant="benchmark", name="load", scopes=["land"], quota=UNLIMITED)
            environment = {"PLAYHEAD_HOME": str(home), "DATABASE_URL": _text(ours_url)}
            peer_environment = {"PEER_DATABASE_URL": _text(peer_url)}
            with (
                _serving("landing_ours", environment, home) as ours,
                _serving("landing_peer", peer_environment, home) as peer,
                open_store(storage, migrate=False) as store,
                psycopg.connect(_text(ours_url), autocommit=True) as ours_rows,
                psycopg.connect(_text(peer_url), autocommit=True) as peer_rows,
                httpx.Client(timeout=30) as client,
            ):
                yield Ours(*ours, ours_rows, client, key, store), Server(*peer, peer_rows, client)
    finally:
        shutil.rmtree(home)


@contextmanager
def _serving(module: str, environment: Mapping[str, str], logs: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = _free_port()
    with (logs / f"{module}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{module}", str(port)],
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + START_S
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{module} did not start: {Path(log.name).read_text()[-2000:]}")
                time.sleep(0.05)
            yield process, port
        finally:
            process.terminate()
            process.wait(60)


def _rss_mb(pid: int) -> float:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _create(url: URL, name: str) -> URL:
    with psycopg.connect(_text(url), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return url.set(database=name)


def _text(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
