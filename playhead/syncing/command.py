"""The command `sync`: where the server is and who asks, from the environment; whom to ask for ids."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from playhead.syncing.asking import Asker, Nobody, person
from playhead.syncing.steps import Sync
from playhead.syncing.tracker import Tracker, TrackerError
from warehouse.providers.settings import read_provider_settings

_USER, _PASSWORD, _URL = (f"IMMERSION_TRACKER_{name}" for name in ("USER", "PASSWORD", "API_URL"))


def run(console: Console, root: Path, environ: Mapping[str, str] = os.environ) -> int:
    """Sync a folder; return 0, or 1 where something was left. Raises click.ClickException with one line."""
    for name in (_USER, _PASSWORD):
        if not environ.get(name):
            raise click.ClickException(f"{name} is not set")
    url = environ.get(_URL) or f"http://127.0.0.1:{environ.get('PORT') or 8080}"
    try:
        tracker = Tracker.connect(
            url, environ[_USER], environ[_PASSWORD], lambda line: console.print(line, markup=False)
        )
        with tracker.client, _asker(console) as asker:
            return 0 if Sync(console, root, tracker, asker).run() else 1
    except TrackerError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or root}: {error.strerror or error}") from error


@contextmanager
def _asker(console: Console) -> Iterator[Asker]:
    if not sys.stdin.isatty():
        yield Nobody()
        return
    with person(console, read_provider_settings()) as somebody:
        yield somebody
