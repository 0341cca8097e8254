"""What keeps the lake small and forgetful: removed files cleared away, small files put together, logs shortened.

No row changes here. Which rows go is decided in `warehouse.retention` and `warehouse.forgetting`.
"""

from datetime import date

from deltalake import CommitProperties

from warehouse import writing
from warehouse.datasets import Dataset
from warehouse.lake import Lake

SMALL_FILES = 8
"""Files of a day from which they are put together."""

REMOTE_GRACE_HOURS = 24
"""On object stores, where writers cannot be kept out, the age from which a file that nobody lists is cleared away."""


def clear_away(lake: Lake, dataset: Dataset) -> int:
    """Delete every file that the newest snapshot does not list, also what crashed writers left; return how many.

    Readers of older snapshots find their files gone: `Lake.read` asks again. Raises DeltaError and OSError.
    """
    hours = REMOTE_GRACE_HOURS if "://" in lake.url else 0
    with writing.alone(lake.url):
        table = lake.table(dataset)
        if table is None:
            return 0
        return len(table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True))


def compact(lake: Lake, dataset: Dataset) -> dict[date, tuple[str, str]]:
    """Put the small files of each day together; return the day's fingerprint before and after, where it changed.

    Rows stay the same, in one commit a day's files are replaced: no reader counts one twice. Raises as `clear_away`.
    """
    with writing.alone(lake.url):
        table = lake.table(dataset)
        if table is None:
            return {}
        before = lake.fingerprints(dataset)
        for day, files in lake.file_counts(dataset).items():
            if files >= SMALL_FILES:
                table.optimize.compact(
                    partition_filters=[(dataset.partition, "=", day.isoformat())],
                    commit_properties=CommitProperties(max_commit_retries=0),
                )
        after = lake.fingerprints(dataset)
        lake.settle(dataset)
    return {day: (before[day], after[day]) for day in after if after[day] != before[day]}


def shorten_log(lake: Lake, dataset: Dataset) -> None:
    """Write a checkpoint of the table's log and drop the entries that it makes superfluous."""
    with writing.alone(lake.url):
        if (table := lake.table(dataset)) is not None:
            table.create_checkpoint()
            table.cleanup_metadata()
