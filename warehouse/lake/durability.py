"""Commits of a local lake onto the disk: delta-rs writes files and log entries, but leaves them in the page cache.

A journal segment is unlinked once its rows are in the lake, so these must survive a power cut. Object stores are
durable by themselves. What is committed is decided in `warehouse.lake`.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

NEIGHBOURS = 8
"""Commits synced with one's own: a later entry is worth nothing if another process' earlier one is lost."""


def sync_commits(table: Path, version: int) -> None:
    """Return when this commit of a table, and the few before it, are on disk: files, log entries, folders.

    Raises OSError.
    """
    entries = [_entry(table, earlier) for earlier in range(max(0, version - NEIGHBOURS + 1), version + 1)]
    present = [entry for entry in entries if entry.exists()]  # older ones may be behind a checkpoint by now
    files = [table / path for entry in present for path in _added(entry)]
    kept = [file for file in files if file.exists()]  # replaced and vacuumed meanwhile
    for path in (*kept, *present):
        _sync(path)
    for folder in {path.parent for path in kept} | {table / "_delta_log", table, table.parent}:
        _sync(folder)


def _entry(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def _added(entry: Path) -> Iterator[str]:
    for line in entry.read_bytes().splitlines():
        if add := json.loads(line).get("add"):
            yield unquote(add["path"])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
