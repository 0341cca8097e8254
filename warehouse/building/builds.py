"""The record of builds: what each partition of a derived table was made from, and hence which are stale.

Building is in `warehouse.building`; what a fingerprint is in `warehouse.lake`, what a version in `warehouse.datasets`.
"""

from collections.abc import Mapping
from datetime import date, datetime

import psycopg

from warehouse.datasets import Dataset


def record(
    connection: psycopg.Connection,
    dataset: Dataset,
    day: date,
    *,
    source_fingerprint: str | None,
    definition_version: str,
    built_at: datetime,
    rows_in: int,
    rows_out: int,
    rows_quarantined: int = 0,
    rows_superseded: int = 0,
) -> None:
    """Record the newest build of a day; `source_fingerprint` is None where the source had no rows."""
    connection.execute(
        """
        INSERT INTO partition_builds AS held (dataset, day, source_fingerprint, definition_version, built_at,
            rows_in, rows_out, rows_quarantined, rows_superseded)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (dataset, day) DO UPDATE SET source_fingerprint = EXCLUDED.source_fingerprint,
            definition_version = EXCLUDED.definition_version, built_at = EXCLUDED.built_at,
            rows_in = EXCLUDED.rows_in, rows_out = EXCLUDED.rows_out,
            rows_quarantined = EXCLUDED.rows_quarantined, rows_superseded = EXCLUDED.rows_superseded
        """,
        (
            dataset.name,
            day,
            source_fingerprint,
            definition_version,
            built_at,
            rows_in,
            rows_out,
            rows_quarantined,
            rows_superseded,
        ),
    )


def stale_days(
    connection: psycopg.Connection, dataset: Dataset, fingerprints: Mapping[date, str], definition_version: str
) -> list[date]:
    """Return, in order, the days of the dataset that were not built from the present source by this version.

    `fingerprints` are those of the source: a day that is missing there is stale while its last build saw one.
    """
    rows = connection.execute(
        "SELECT day, source_fingerprint, definition_version FROM partition_builds WHERE dataset = %s", (dataset.name,)
    )
    built = {day: (fingerprint, version) for day, fingerprint, version in rows}
    changed = {day for day, seen in fingerprints.items() if built.get(day) != (seen, definition_version)}
    vanished = {day for day, (seen, _) in built.items() if seen is not None and day not in fingerprints}
    return sorted(changed | vanished)


def carry_over(
    connection: psycopg.Connection, dataset: Dataset, before: Mapping[date, str], after: Mapping[date, str]
) -> None:
    """Let builds that saw the source as it was `before` count as having seen it `after`, for its rows are the same."""
    changed = {day: seen for day, seen in before.items() if after.get(day) not in {None, seen}}
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE partition_builds SET source_fingerprint = %s"
            " WHERE dataset = %s AND day = %s AND source_fingerprint = %s",
            [(after[day], dataset.name, day, seen) for day, seen in changed.items()],
        )


def built_at(connection: psycopg.Connection, dataset: Dataset) -> dict[date, datetime]:
    """Return when each day was last built."""
    rows = connection.execute("SELECT day, built_at FROM partition_builds WHERE dataset = %s", (dataset.name,))
    return dict(rows.fetchall())


def superseded(connection: psycopg.Connection, dataset: Dataset) -> dict[date, int]:
    """Return how many sends the last build of each day found replaced by a newer one."""
    rows = connection.execute(
        "SELECT day, rows_superseded FROM partition_builds WHERE dataset = %s ORDER BY day", (dataset.name,)
    )
    return dict(rows.fetchall())
