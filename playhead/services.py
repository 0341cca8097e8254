"""What `serve`, `up`, `refresh` and `info` do."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from ingest import recovery
from pipelines import instance, refreshing
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

PACKAGES = ("playhead", "polars", "deltalake", "dagster", "litestar", "sqlalchemy", "plotly")
ROOT = Path(__file__).resolve().parents[1]
SEAL_TIMEOUT_S = 60.0


def drain(console: Console, store: Store) -> None:
    """Bring everything that has landed into Postgres and raw, whoever landed it."""
    with console.status("Sealing journals …"):
        recovery.drain(store.settings, store.database, store.lake, timeout_s=SEAL_TIMEOUT_S)


def refresh(console: Console, store: Store) -> refreshing.Refreshed:
    """Seal what has landed, then rebuild everything that is stale."""
    drain(console, store)
    with console.status("Looking for stale days …") as status:
        done = refreshing.refresh(store, lambda text: status.update(f"Refreshing {text} …"))
    if not done.ranges:
        console.print("Everything is fresh.")
    for stale in done.ranges:
        console.print(f"Refreshed {stale}")
    return done


def enrich(console: Console, store: Store) -> None:
    """Ask the metadata providers for what watches lack."""
    with console.status("Asking for names and lengths of what was watched …"):
        refreshing.enrich(store)


def information(settings: StorageSettings) -> dict[str, object]:
    """Return addresses, paths and versions."""
    with open_store(settings) as store:
        return {
            "home": str(settings.home),
            "database_url": store.database.libpq_url,
            "lake_url": settings.lake_url,
            "reports_dir": str(settings.reports_dir),
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        }


def up(console: Console, settings: StorageSettings, host: str, port: int, dagster_port: int, jupyter_port: int) -> int:
    """Run endpoint, Dagster and JupyterLab until one ends or the user interrupts; return the exit code."""
    with open_store(settings) as store:
        environ = os.environ | instance.environment(store)
        services = {
            "endpoint": ([sys.executable, "-m", "playhead", "serve", "--host", host, "--port", str(port)], environ),
            "Dagster": (_dagster(host, dagster_port), environ),
            "JupyterLab": (_jupyter(host, jupyter_port), environ),
        }
        running = {name: subprocess.Popen(command, env=env, cwd=ROOT) for name, (command, env) in services.items()}  # noqa: S603
        console.print(f"Endpoint    http://{host}:{port}  (OpenAPI at /docs)")
        console.print(f"Dagster     http://{host}:{dagster_port}")
        console.print(f"JupyterLab  http://{host}:{jupyter_port}/lab  (token in its log below)")
        console.print("Ctrl-C stops all of them.")
        try:
            return _wait(console, running)
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(running)


def _dagster(host: str, port: int) -> list[str]:
    workspace = str(ROOT / "workspace.yaml")
    return [sys.executable, "-m", "dagster", "dev", "--workspace", workspace, "--host", host, "--port", str(port)]


def _jupyter(host: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--ip={host}", f"--port={port}"]
    command.append(f"--notebook-dir={ROOT / 'notebooks'}")
    command.append("--LabApp.news_url=None")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def _wait(console: Console, running: Mapping[str, subprocess.Popen[bytes]]) -> int:
    while True:
        for name, process in running.items():
            if (code := process.poll()) is not None:
                console.print(f"[red]{name} ended with code {code}[/red]")
                return code or 1
        time.sleep(0.5)


def _stop(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        process.terminate()
    for process in running.values():
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
