"""Files of what could not be landed: what must be forgotten is taken out.

Lines that `load` refused are written in `loading`, damaged journal segments are kept by `ingest.sealing`.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path


def erase(folder: Path, identifier: str) -> int:
    """Take the lines that name the identifier out of every file of the folder; return how many. Raises OSError."""
    gone = 0
    for path in sorted(folder.glob("*.ndjson")) if folder.is_dir() else ():
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not _names(json.loads(line)["body"], identifier)]
        if len(kept) < len(lines):
            gone += len(lines) - len(kept)
            _replace(path, b"".join(kept))
    return gone


def erase_damaged(folder: Path, identifier: str) -> int:
    """Delete the damaged segments that name the identifier, whole, for their lines cannot be told apart; likewise."""
    named = [path for path in folder.glob("*.damaged") if identifier.encode() in path.read_bytes()]
    for path in named:
        path.unlink()
    return len(named)


def _names(body: str, identifier: str) -> bool:
    try:
        return identifier in _values(json.loads(body))
    except (json.JSONDecodeError, RecursionError):
        return identifier in body  # no telling what it says: rather one line too many


def _values(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _values(item)
    elif isinstance(value, list):
        for item in value:
            yield from _values(item)
    else:
        yield str(value)


def _replace(path: Path, content: bytes) -> None:
    if not content:
        path.unlink()
        return
    temporary = path.with_suffix(".partial")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
