"""Dagster's own state: a schema of our Postgres and a folder of the home, telemetry off."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from warehouse.store import Store

EVENTS_AT_ONCE = {"DAGSTER_EVENT_BATCH_SIZE": "1000"}
"""A run over many days tells of each partition in one statement, not in one each."""

CONNECTIONS = 20
"""Most that a storage opens at once."""

RECYCLE_S = 3600

STATEMENT_TIMEOUT_MS = 60_000

URL_VARIABLE = "PLAYHEAD_DAGSTER_URL"
"""Names the variable that holds the database URL, so that no password stands in dagster.yaml."""


def environment(store: Store) -> dict[str, str]:
    """Write `dagster.yaml`; return the variables that Dagster's own processes need to find it."""
    folder = store.settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(json.dumps(_config(folder), indent=2), encoding="utf-8")  # YAML, too
    with store.database.connect() as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS dagster")
    return {
        "DAGSTER_HOME": str(folder),
        "PLAYHEAD_HOME": str(store.settings.home),
        URL_VARIABLE: _url(store),
    } | EVENTS_AT_ONCE


@contextmanager
def open_instance(store: Store) -> Iterator[dg.DagsterInstance]:
    """Open the instance of this home in this process."""
    variables = environment(store)
    os.environ.update({URL_VARIABLE: variables[URL_VARIABLE]} | EVENTS_AT_ONCE)
    with dg.DagsterInstance.from_config(variables["DAGSTER_HOME"]) as instance:
        # Storages then keep their connections, of which a run would else open hundreds.
        instance.optimize_for_webserver(STATEMENT_TIMEOUT_MS, pool_recycle=RECYCLE_S, max_overflow=CONNECTIONS)
        yield instance


def _url(store: Store) -> str:
    """Return the database with Dagster's schema first; its statements are written for psycopg2."""
    url = store.database.url.set(drivername="postgresql+psycopg2")
    return url.update_query_dict({"options": "-csearch_path=dagster"}).render_as_string(hide_password=False)


def _config(folder: Path) -> dict[str, object]:
    return {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "storage": {"postgres": {"postgres_url": {"env": URL_VARIABLE}}},
        "concurrency": {"runs": {"max_concurrent_runs": 1}},
        "local_artifact_storage": {
            "module": "dagster._core.storage.root",
            "class": "LocalArtifactStorage",
            "config": {"base_dir": str(folder)},
        },
        "compute_logs": {
            "module": "dagster._core.storage.local_compute_log_manager",
            "class": "LocalComputeLogManager",
            "config": {"base_dir": str(folder / "logs")},
        },
    }
