"""A backup, restored elsewhere, is everything that was there."""

from dataclasses import replace
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal
from rich.console import Console

from playhead import governance
from tests.integration.landed import FIRST, body, land
from tests.integration.populated import rows
from warehouse.access import keys
from warehouse.datasets import DATASETS, RAW_SESSIONS, Dataset
from warehouse.governance import backup, forgetting
from warehouse.governance.rebuilding import verify
from warehouse.landing.tombstones import Subject
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

QUIET = Console(quiet=True)


@pytest.fixture
def filled(governed: Store) -> Store:
    forgetting.begin(governed, Subject("session", "default", "gone"))
    with governed.database.connect() as connection:
        keys.create_key(connection, tenant="default", name="sdk", scopes=("land",), quota=None)
    return governed


def names(store: Store, dataset: Dataset) -> list[str]:
    return sorted(store.lake.read(dataset)["session_id"])


def test_a_restored_backup_is_everything_that_was_there(
    filled: Store, elsewhere: StorageSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    assert governance.back_up(QUIET, filled.settings, folder) == 0
    landed, sessions = rows(filled), names(filled, RAW_SESSIONS)
    before = {dataset.name: filled.lake.read(dataset).sort(dataset.key) for dataset in DATASETS.values()}
    land(filled, [body(50, FIRST)])
    elsewhere = replace(elsewhere, dimensions=filled.settings.dimensions)
    assert governance.restore(QUIET, elsewhere, folder) == 0
    with open_store(elsewhere) as restored:
        for dataset in DATASETS.values():
            held = restored.lake.read(dataset).sort(dataset.key)
            assert_frame_equal(held, before[dataset.name], rel_tol=1e-9)
        assert list(verify(restored)) == []
        with restored.database.connect() as connection:
            assert connection.execute("SELECT name FROM api_keys").fetchall() == [("sdk",)]
        told = [table for table in landed if table != "session_keys"]
        assert rows(restored, *told) == {table: landed[table] for table in told}
        land(restored, [body(1, FIRST, sessionId="gone"), body(60, FIRST)])
        assert names(restored, RAW_SESSIONS) == sorted([*sessions, "s60"])


def test_what_is_not_empty_is_not_overwritten(filled: Store, elsewhere: StorageSettings, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    backup.back_up(filled, folder)
    with pytest.raises(backup.BackupError, match="is not empty"):
        backup.back_up(filled, folder)
    with pytest.raises(backup.BackupError, match="is not empty"):
        backup.restore(filled, folder)
    (folder / backup.MANIFEST).unlink()
    with open_store(elsewhere) as other, pytest.raises(backup.BackupError, match="no whole backup"):
        backup.restore(other, folder)
