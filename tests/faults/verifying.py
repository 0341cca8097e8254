"""What must hold after a fault: each acknowledged session is in Postgres, raw and core, once; all files can be read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from ingest import recovery
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, RAW_SESSIONS
from warehouse.derivations import SESSIONS
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

DRAIN_S = 120.0


@dataclass(frozen=True)
class Findings:
    """Counts; all of them must be 0."""

    missing_in_postgres: int
    missing_in_raw: int
    missing_in_core: int
    twice_in_postgres: int
    twice_in_raw: int
    twice_in_core: int
    quarantined: int
    unreadable_files: int

    def __str__(self) -> str:
        """Name what is not 0."""
        bad = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in bad if count)


def verify(storage: StorageSettings, acknowledged: Iterable[str]) -> Findings:
    """Bring in all that has landed, build core, and compare. Raises what a drain raises."""
    wanted = set(acknowledged)
    with open_store(storage) as store:
        recovery.drain(storage, store.database, store.lake, timeout_s=DRAIN_S)
        building.build(store, SESSIONS, building.stale_days(store, SESSIONS))
        raw = store.lake.scan(RAW_SESSIONS).select("ingest_id", "session_id").collect()
        core = store.lake.scan(CORE_SESSIONS).select("session_id").collect()["session_id"].to_list()
        rows, quarantined = _rows(store)
    return Findings(
        missing_in_postgres=len(wanted.difference(rows)),
        missing_in_raw=len(wanted.difference(raw["session_id"])),
        missing_in_core=len(wanted.difference(core)),
        twice_in_postgres=_twice(rows),
        twice_in_raw=_twice(raw["ingest_id"].to_list()),
        twice_in_core=_twice(core),
        quarantined=quarantined,
        unreadable_files=unreadable(Path(storage.lake_url)) + len(list(storage.journal_dir.glob("*.damaged"))),
    )


def unreadable(lake: Path) -> int:
    """Return how many files of the lake cannot be read whole."""
    return sum(not _reads(path) for pattern in ("*.parquet", "*.json") for path in lake.rglob(pattern))


def _reads(path: Path) -> bool:
    try:
        if path.suffix == ".parquet":
            pl.read_parquet(path, hive_partitioning=False)
        else:
            for line in path.read_text(encoding="utf-8").splitlines():
                json.loads(line)
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return False
    return True


def _rows(store: Store) -> tuple[list[str], int]:
    with store.database.connect() as connection:
        rows = [row[0] for row in connection.execute("SELECT session_id FROM sessions")]
        refused = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    return rows, int(refused[0]) if refused else 0


def _twice(names: Sequence[str]) -> int:
    return len(names) - len(set(names))
