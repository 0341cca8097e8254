"""What keeps the lake small and forgetful: removed files cleared away, small files put together, logs shortened.

No row changes here. Which rows go is decided in `warehouse.governance.retention` and `warehouse.governance.forgetting`.
"""

from datetime import date

from deltalake import CommitProperties

from warehouse import building
from warehouse.building import builds
from warehouse.datasets import DATASETS, Dataset
from warehouse.derivations import DERIVATIONS
from warehouse.lake import Lake, writing
from warehouse.store import Store

SMALL_FILES = 8
"""Files of a day from which they are put together."""

GRACE_HOURS = 24
"""The age from which a file that nobody lists is cleared away, for the sake of readers of older snapshots."""


def tidy(store: Store) -> dict[str, int]:
    """Do what every table needs now and then; return by table the days put together and the files cleared away.

    Raises `deltalake.exceptions.DeltaError`, psycopg errors and OSError.
    """
    done = {}
    for dataset in DATASETS.values():
        done[dataset.name] = len(compact(store, dataset)) + clear_away(store.lake, dataset, hours=GRACE_HOURS)
        shorten_log(store.lake, dataset)
    return done


def clear_away(lake: Lake, dataset: Dataset, *, hours: int = 0) -> int:
    """Delete the files of this age that the newest snapshot does not list, also what crashed writers left.

    Returns how many. Readers of older snapshots find their files gone: `Lake.read` asks again. On object stores, where
    writers cannot be kept out, nothing younger than a day is cleared away. Raises DeltaError and OSError.
    """
    hours = max(hours, GRACE_HOURS) if "://" in lake.url else hours
    with writing.alone(lake.url):
        table = lake.table(dataset)
        if table is None:
            return 0
        return len(table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True))


def compact(store: Store, dataset: Dataset) -> list[date]:
    """Put the small files of each day together; return the days.

    Rows stay the same and one commit replaces a day's files: no reader counts one twice, and what was built from them
    stays fresh. Raises as `clear_away`, and psycopg errors.
    """
    with writing.alone(store.lake.url), store.database.connect() as connection:
        table = store.lake.table(dataset)
        small = [day for day, files in store.lake.file_counts(dataset).items() if files >= SMALL_FILES]
        if table is None or not small:
            return []
        readers = [step for step in DERIVATIONS if dataset in (*step.sources, *step.bases)]
        before = [building.fingerprints(store, step) for step in readers]
        for day in small:
            partition = [(dataset.partition, "=", day.isoformat())]
            table.optimize.compact(
                partition_filters=partition, commit_properties=CommitProperties(max_commit_retries=0)
            )
        store.lake.settle(dataset)
        for step, old in zip(readers, before, strict=True):
            builds.carry_over(connection, step.recorded, old, building.fingerprints(store, step))
    return small


def shorten_log(lake: Lake, dataset: Dataset) -> None:
    """Write a checkpoint of the table's log and drop the entries that it makes superfluous. Raises as `clear_away`."""
    with writing.alone(lake.url):
        if (table := lake.table(dataset)) is not None:
            table.create_checkpoint()
            table.cleanup_metadata()
