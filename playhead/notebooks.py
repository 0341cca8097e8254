"""Executes the notebooks of the checkout and keeps what they showed beside the reports."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from rich.console import Console

from dashboards.publish import tenant_folder
from warehouse.store import Store

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
CELL_TIMEOUT_S = 120


def execute_all(console: Console, store: Store, tenant: str) -> list[Path]:
    """Execute every notebook for one tenant, in order; return the executed copies.

    Raises nbclient's CellExecutionError when a cell fails.
    """
    target = store.settings.reports_dir / tenant_folder(tenant) / "notebooks"
    target.mkdir(parents=True, exist_ok=True)
    executed = []
    for source in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        with console.status(f"Executing {source.name} …"):
            notebook = nbformat.read(source, as_version=4)
            environ = os.environ | {"PLAYHEAD_HOME": str(store.settings.home), "PLAYHEAD_TENANT": tenant}
            client = NotebookClient(
                notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", extra_arguments=["--log-level=ERROR"]
            )
            client.execute(env=environ, cwd=str(NOTEBOOKS))
            nbformat.write(notebook, target / source.name)
        executed.append(target / source.name)
    return executed
