"""Raw rows on their way to the lake: written in the transaction of what they changed, appended once, deleted.

What is in the rows is known to `watching` and `describing`; when they are sealed is decided in `ingest.outbox_sealer`.
"""

import json
from collections.abc import Sequence
from datetime import datetime

import polars as pl
import psycopg

from warehouse.datasets.dataset import Dataset
from warehouse.datasets.watches import RAW_METADATA, RAW_WATCHES
from warehouse.lake import Lake

AT_ONCE_BYTES = 32 << 20
"""Most bytes of records that one commit appends, unless a single one is larger."""

_LOCK = 0x504C4F7574626F78
_RAW = (RAW_WATCHES, RAW_METADATA)

_TAKE = """
WITH taken AS (
    SELECT id FROM (
        SELECT id, sum(octet_length(record)) OVER (ORDER BY id) - octet_length(record) AS bytes_before
        FROM outbox WHERE dataset = %(dataset)s AND batch IS NULL
    ) AS waiting WHERE bytes_before < %(bytes)s
), number AS MATERIALIZED (SELECT gen_random_uuid() AS batch)
UPDATE outbox SET batch = number.batch FROM taken, number WHERE outbox.id = taken.id
"""


def put(connection: psycopg.Connection, dataset: Dataset, rows: pl.DataFrame) -> None:
    """Write rows of a raw dataset; their `day` follows from `received_at`. Raises psycopg errors."""
    records = rows.drop(dataset.partition, strict=False).write_json()
    connection.execute(
        "INSERT INTO outbox (dataset, tenant, record) "
        "SELECT %s, record ->> 'tenant', record::text FROM jsonb_array_elements(%s::jsonb) AS record",
        (dataset.name, records),
    )


def seal(connection: psycopg.Connection, lake: Lake) -> int:
    """Append to the raw tables everything that was committed before, once, and delete it here; return the rows.

    One process at a time, others wait. A batch is numbered before it is appended under that number, so that a crash
    before the deletion repeats nothing. The connection must be in autocommit mode. Raises psycopg errors, DeltaError
    and OSError; nothing is lost then.
    """
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        return sum(_seal(connection, lake, dataset) for dataset in _RAW)
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def waiting(connection: psycopg.Connection, dataset: Dataset) -> pl.DataFrame:
    """Return the rows of a raw dataset that are not known to be in the lake. Raises psycopg errors."""
    records = connection.execute("SELECT record FROM outbox WHERE dataset = %s ORDER BY id", (dataset.name,)).fetchall()
    return _frame(dataset, [record for (record,) in records])


def erase(connection: psycopg.Connection, ingest_ids: Sequence[str]) -> int:
    """Delete raw rows that must not reach the lake, while nobody seals; return how many. In a transaction."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    return connection.execute(
        "DELETE FROM outbox WHERE record::jsonb ->> 'ingest_id' = ANY(%s)", (list(ingest_ids),)
    ).rowcount


def _seal(connection: psycopg.Connection, lake: Lake, dataset: Dataset) -> int:
    sealed = 0
    while True:
        batches = connection.execute(
            "SELECT DISTINCT batch FROM outbox WHERE dataset = %s AND batch IS NOT NULL", (dataset.name,)
        ).fetchall()
        for (batch,) in batches:
            records = connection.execute("SELECT record FROM outbox WHERE batch = %s ORDER BY id", (batch,)).fetchall()
            frame = _frame(dataset, [record for (record,) in records])
            lake.append_once(dataset, frame, app_id=f"outbox:{batch}", version=1)
            connection.execute("DELETE FROM outbox WHERE batch = %s", (batch,))
            sealed += frame.height
        taken = connection.execute(_TAKE, {"dataset": dataset.name, "bytes": AT_ONCE_BYTES}).rowcount
        if taken == 0:
            return sealed


def _frame(dataset: Dataset, records: Sequence[str]) -> pl.DataFrame:
    rows = [json.loads(record) for record in records]
    for row in rows:
        row["received_at"] = datetime.fromisoformat(row["received_at"])
    frame = pl.DataFrame(rows, schema=dataset.schema())
    return frame.with_columns(day=pl.col("received_at").dt.date())
