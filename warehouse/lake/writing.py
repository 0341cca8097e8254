"""Who may write to a local lake: many at once, or one alone that clears files away.

A file that is written and not yet committed looks like one that nobody needs, so clearing away excludes writers. Object
stores have no such lock; there only files are cleared away that are older than any write lasts.
"""

import fcntl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

LOCK = ".writers"


def shared(url: str) -> AbstractContextManager[None]:
    """Write beside others; waits while somebody is alone. Raises OSError."""
    return _locked(url, fcntl.LOCK_SH)


def alone(url: str) -> AbstractContextManager[None]:
    """Wait until nobody writes, and keep others from it. Raises OSError."""
    return _locked(url, fcntl.LOCK_EX)


@contextmanager
def _locked(url: str, kind: int) -> Iterator[None]:
    if "://" in url:
        yield
        return
    folder = Path(url)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as file:
        fcntl.flock(file, kind)
        yield
