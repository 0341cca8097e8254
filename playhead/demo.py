"""What `demo` does: the whole way from a posted session to a published report, on a tenant of its own."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dashboards.publish import tenant_folder
from lab.population import Population
from lab.posting import Body, PostingReport, post_sessions
from playhead import comparison, notebooks, sample_events, sample_stream, sample_watches, services, watch_comparison
from warehouse.access import keys, tenants
from warehouse.settings import StorageSettings
from warehouse.store import open_store

TENANT = "demo"
PAGES = ("qoe.html", "progress.html", "streams.html", "engagement.html")
START_TIMEOUT_S = 30.0


class DemoError(RuntimeError):
    """A step of the demo did not do what it must; the message says which."""


def run(console: Console, settings: StorageSettings, *, source: Path | None, seed: int) -> int:
    """Post, refresh, execute, publish, compare; return 0 when everything holds."""
    began = time.perf_counter()
    with open_store(settings) as store, sample_watches.sample_providers(console):
        console.print(f"Postgres is up; state is under {settings.home}")
        services.drain(console, store)
        tenants.drop_tenant(store.database, store.lake, TENANT)
        with store.database.connect() as connection:
            key = keys.create_key(connection, tenant=TENANT, name="demo", scopes=("land", "read"), quota=keys.UNLIMITED)
        passwords = sample_watches.add_people(store, TENANT)
        population = None if source else Population(seed=seed, end=settings.now())
        bodies: list[Body] = list(population.sessions()) if population else []
        if source:
            bodies = [line for line in source.read_bytes().splitlines() if line.strip()]
        with _endpoint(console, settings) as base_url:
            _post(console, base_url, key, bodies)
            sample = sample_watches.land(
                *(console, store, base_url), tenant=TENANT, passwords=passwords, seed=seed, end=settings.now()
            )
            stream = sample_stream.land(console, base_url, key, seed=seed, end=settings.now())
            if population:
                sample_events.land(console, base_url, key, bodies, seed=seed)
            services.enrich(console, store)
            services.refresh(console, store)
            answers = sample.progress()
        executed = notebooks.execute_all(console, store, TENANT)
        holds = comparison.show(console, store, TENANT, population.truth() if population else None)
        holds &= watch_comparison.show(console, store, TENANT, sample, answers)
        holds &= sample_stream.show(console, store, TENANT, stream)
        pages = [settings.reports_dir / tenant_folder(TENANT) / name for name in PAGES]
        for path in (*executed, *filter(Path.exists, pages), settings.reports_dir / "index.html"):
            console.print(f"  {path}", soft_wrap=True)
    console.print(f"Done in {time.perf_counter() - began:.0f} s")
    return 0 if holds else 1


def _post(console: Console, base_url: str, key: str, bodies: Sequence[Body]) -> PostingReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Posting sessions", total=len(bodies))
        report = asyncio.run(
            post_sessions(base_url, key, bodies, on_progress=lambda done: progress.update(task, completed=done))
        )
    console.print(
        f"Posted {report.sent:,} sessions over HTTP, {report.accepted:,} accepted "
        f"({report.sent / report.seconds:,.0f}/s, p95 {report.p95_ms:.0f} ms)"
    )
    for session_id, status, message in report.refused[:5]:
        console.print(f"[yellow]  refused {session_id}: {status} {message}[/yellow]")
    return report


@contextmanager
def _endpoint(console: Console, settings: StorageSettings) -> Iterator[str]:
    """Run the endpoint on a free loopback port, as its own process."""
    port = _free_port()
    base_url = f"http://127.0.0.1:{port}"
    log_path = settings.home / "endpoint.log"
    command = [sys.executable, "-m", "playhead", "serve", "--port", str(port)]
    log_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, stdout=log, stderr=log, env=os.environ | {"PLAYHEAD_HOME": str(settings.home)}
        )
        try:
            _await_health(process, base_url, log_path)
            console.print(f"Endpoint is up at {base_url}, its log is {log_path}")
            yield base_url
        finally:
            process.terminate()
            process.wait()


def _await_health(process: subprocess.Popen[bytes], base_url: str, log_path: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError(f"the endpoint ended with code {process.returncode}; see {log_path}")
        try:
            if httpx.get(f"{base_url}/health/ready", timeout=1).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise DemoError(f"the endpoint was not ready after {START_TIMEOUT_S:.0f} s; see {log_path}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
