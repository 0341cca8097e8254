"""What an unexpected error leaves in the log: where it happened, never the values that were at hand."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging
import sys

import structlog
from ingest import logs

def answer(key):
    password = key.upper()
    raise ValueError("broken")

logs.configure("DEBUG")
try:
    answer(sys.argv[1])
except ValueError as error:
    structlog.get_logger("ingest").error("unexpected error", exc_info=error)
    logging.getLogger("uvicorn.error").error("unexpected too", exc_info=error)
"""


@pytest.mark.parametrize("terminal", [True, False])
def test_tracebacks_show_no_values(tmp_path: Path, terminal: bool) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with os.fdopen(ours, "rb", closefd=True) as log:
        subprocess.run([sys.executable, tmp_path / "program.py", "key-4711"], stderr=theirs, check=True)
        os.set_blocking(ours, False)
        written = os.read(log.fileno(), 65_536).decode()
        os.close(theirs)
    assert written.count("ValueError: broken") == 2
    assert "unexpected error" in written
    assert "4711" not in written
