"""A process that retains, forgets or rebuilds, and dies at a named point (arguments: those of `main`)."""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from sqlalchemy import make_url

from ingest import logs
from playhead import governance
from tests.integration.crashing import die_at
from warehouse import builds, expiry, forgetting
from warehouse.lake import Lake
from warehouse.settings import StorageSettings
from warehouse.tombstones import Subject

POINTS: dict[str, tuple[Any, str, str]] = {
    "after days are filtered": (Lake, "filter_days", "after"),
    "after days are replaced": (Lake, "replace_days", "after"),
    "before a build is recorded": (builds, "record", "before"),
    "before a commit in Postgres": (psycopg.Transaction, "__exit__", "before"),
    "after the sessions of Postgres went": (expiry, "delete_sessions", "after"),
    "after the tombstone": (forgetting, "begin", "after"),
    "before the receipt is closed": (forgetting, "finish", "before"),
}


def run(command: str, settings: StorageSettings) -> None:
    """Run one command: retain, rebuild, or forget and an id."""
    console = Console(quiet=True)
    name, _, argument = command.partition(" ")
    if name == "forget":
        governance.forget(console, settings, Subject("user", "default", argument))
    elif name == "retain":
        governance.retain(console, settings, dry_run=False)
    else:
        governance.rebuild(console, settings, verify=False)


def main(point: str, call: str, command: str, now: str, home: str, url: str) -> None:
    """Run the command until the point is reached; reaching none of it is success."""
    settings = StorageSettings(home=Path(home), lake_url=f"{home}/lake", database_url=make_url(url), pool_min=1)
    logs.configure("ERROR")
    die_at(*POINTS[point], int(call))
    run(command, replace(settings, fixed_now=datetime.fromisoformat(now)))


if __name__ == "__main__":
    main(*sys.argv[1:])
