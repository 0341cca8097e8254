"""Retaining, forgetting and rebuilding: whole, as commands do it, or short; and dying at a named point on the way.

As a module it is a process that dies so (arguments: those of `main`).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import make_url

from ingest import logs
from playhead import governance
from tests.integration.crashing import die_at
from tests.integration.populated import build
from tests.integration.prepared import settings_of
from warehouse.building import bases, builds
from warehouse.datasets import DATASETS
from warehouse.governance import expiry, forgetting, housekeeping, rebuilding, replaying, retention, rewatching
from warehouse.lake import Lake
from warehouse.landing.tombstones import Subject
from warehouse.settings import StorageSettings
from warehouse.store import Store

QUIET = Console(quiet=True)

POINTS: dict[str, tuple[Any, str, str]] = {
    "after days are filtered": (Lake, "filter_days", "after"),
    "after days are replaced": (Lake, "replace_days", "after"),
    "before a build is recorded": (builds, "record", "before"),
    "before a commit in Postgres": (psycopg.Transaction, "__exit__", "before"),
    "after a base is frozen": (bases, "freeze", "after"),
    "after the sessions of Postgres went": (expiry, "delete_sessions", "after"),
    "after events or chat of Postgres went": (expiry, "delete_landed", "after"),
    "before sends are landed again": (replaying, "restore", "before"),
    "after watches are mended": (rewatching, "_mend", "after"),
    "after the tombstone": (forgetting, "begin", "after"),
    "before the receipt is closed": (forgetting, "finish", "before"),
}


class DiedError(BaseException):
    """Nobody catches it, so that what is open is rolled back and let go of, as when a process ends."""


@contextmanager
def dying_at(point: str, call: int) -> Iterator[None]:
    """Let what is done here die at the point, in this process; reaching none of it is a failure."""
    owner, name, when = POINTS[point]
    original, calls = getattr(owner, name), 0

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*args, **kwargs) if when == "after" or calls != call else None
        if calls == call:
            if name == "__exit__":
                original(args[0], DiedError, DiedError(point), None)
            raise DiedError(point)
        return result

    with pytest.MonkeyPatch.context() as patch, pytest.raises(DiedError):  # noqa: PT012
        patch.setattr(owner, name, dying)
        yield


def run(command: str, settings: StorageSettings) -> None:
    """Run one command: retain, rebuild, or forget and an id."""
    name, _, argument = command.partition(" ")
    if name == "forget":
        governance.forget(QUIET, settings, Subject("user", "default", argument))
    elif name == "retain":
        governance.retain(QUIET, settings, dry_run=False)
    else:
        governance.rebuild(QUIET, settings, verify=False)


def run_short(command: str, store: Store, settle: Callable[[], object] = lambda: None) -> None:
    """Do the same to Postgres and the lake alone; `settle` brings what has landed there."""
    name, _, argument = command.partition(" ")
    if name == "forget":
        forget(store, Subject("user", "default", argument), settle)
    elif name == "retain":
        settle()
        retention.retain(store)
    else:
        settle()
        list(rebuilding.rebuild(store, settle))


def forget(store: Store, subject: Subject, settle: Callable[[], object] = lambda: None) -> None:
    """Forget in Postgres and the lake."""
    receipt = forgetting.begin(store, subject)
    settle()
    counts = forgetting.erase(store, subject)
    build(store)
    for dataset in DATASETS.values():
        housekeeping.clear_away(store.lake, dataset)
    forgetting.finish(store, receipt, counts)


def main(point: str, call: str, command: str, now: str, home: str, url: str) -> None:
    """Run the command until the point is reached; reaching none of it is success."""
    settings = settings_of(Path(home), make_url(url))
    logs.configure("ERROR")
    die_at(*POINTS[point], int(call))
    run(command, replace(settings, fixed_now=datetime.fromisoformat(now)))


if __name__ == "__main__":
    main(*sys.argv[1:])
