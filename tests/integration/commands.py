"""Runs the `playhead` command as a user does, in a process of its own."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from warehouse.settings import StorageSettings


def environment(storage: StorageSettings) -> dict[str, str]:
    """Return the environment that names the storage of a test."""
    assert storage.database_url is not None
    url = storage.database_url.set(drivername="postgresql").render_as_string(hide_password=False)
    return os.environ | {"PLAYHEAD_HOME": str(storage.home), "DATABASE_URL": url, "COLUMNS": "160"}


def playhead(storage: StorageSettings, *arguments: str, code: int = 0) -> str:
    """Run a command; return what it printed. Fails when it does not exit with `code`."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "playhead", *arguments],
        env=environment(storage),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def typing(folder: Path, environ: Mapping[str, str], typed: str, *, code: int = 0) -> str:
    """Run `playhead sync` in a folder on a terminal where this is typed; return what it printed."""
    keyboard, terminal = pty.openpty()
    try:
        os.write(keyboard, typed.encode())
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "playhead", "sync", "--folder", str(folder)],
            env=os.environ | {"COLUMNS": "160"} | environ,
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
