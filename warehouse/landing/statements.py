"""The SQL of landing, generated from the one mapping of payload fields. How it is run is in `warehouse.landing`."""

from typing import LiteralString

import polars as pl

from warehouse.landing.tombstones import FORGOTTEN
from warehouse.metrics.sessions import FIELDS, Field

COLUMNS = {
    "content_id": "content_id",
    "stream_type": "stream_type",
    "session_duration_ms": "duration_ms",
    "player_startup_ms": "startup_ms",
    "play_time_ms": "play_ms",
    "rebuffer_time_ms": "rebuffer_ms",
    "rebuffer_count": "rebuffer_count",
    "rebuffer_ratio": "rebuffer_ratio_media3",
    "seek_time_ms": "seek_ms",
    "seek_count": "seek_count",
    "dropped_frames": "dropped_frames",
    "mean_bitrate_bps": "bitrate_bps",
    "error_count": "error_count",
}
"""Column of `sessions`, whose names are those of the seeds, and the column of core_sessions that says the same."""

_SQL_TYPES: dict[type[pl.DataType], str] = {pl.String: "text", pl.Int64: "int4", pl.Float64: "float8"}


def instant(milliseconds: str) -> str:
    """Epoch ms, bigint, to timestamptz: exact for every year, as one division in floating point would not be."""
    return f"to_timestamp({milliseconds} / 1000) + ({milliseconds} %% 1000) * interval '1 millisecond'"


def _value(field: Field) -> str:
    operator = "->>" if isinstance(field.dtype, pl.String) else "->"
    sent = dict.fromkeys(name for name in (field.sdk, field.legacy) if name is not None)
    if operator == "->>":
        taken = [f"body ->> '{name}'" for name in sent]
    else:
        taken = [f"nullif(body -> '{name}', 'null')" for name in sent]
    return f"coalesce({', '.join(taken)})::{_SQL_TYPES[type(field.dtype)]}"


def _follow() -> str:
    fields = {field.column: field for field in FIELDS}
    values = {column: _value(fields[core]) for column, core in COLUMNS.items()}
    identity = "tenant, session_id, identity_at"
    columns = ", ".join(values)
    extracted = ",\n            ".join(f"{value} AS {column}" for column, value in values.items())
    updated = ", ".join(
        f"{column} = EXCLUDED.{column}"
        for column in ("timestamp", *values, "clock_suspect", "payload", "created_at", "ingest_id")
    )
    # Every part of it stands in this module or is a field name of `FIELDS`.
    return f"""
    WITH landed AS MATERIALIZED (
        SELECT tenant, session_id, {instant("identity_at")} AS identity_at,
            {instant("started_at")} AS started_at, {instant("sent_at")} AS sent_at,
            to_timestamp(received_at / 1000000) + (received_at %% 1000000) * interval '1 microsecond' AS received_at,
            ingest_id, clock_suspect, body
        FROM jsonb_to_recordset(convert_from(%(batch)b, 'UTF8')::jsonb) AS record (
            tenant text, ingest_id uuid, received_at bigint, session_id text, identity_at bigint, started_at bigint,
            sent_at bigint, clock_suspect boolean, body jsonb
        )
    ), record AS MATERIALIZED (
        SELECT * FROM landed AS record WHERE NOT ({FORGOTTEN})
    ), placed AS (
        INSERT INTO session_keys AS known ({identity}, started_at)
        SELECT DISTINCT ON ({identity}) {identity}, started_at
        FROM record ORDER BY {identity}, received_at, ingest_id
        ON CONFLICT ({identity}) DO UPDATE SET started_at = known.started_at
        RETURNING {identity}, started_at
    ), newest AS (
        SELECT DISTINCT ON ({identity}) * FROM record
        ORDER BY {identity}, sent_at DESC, received_at DESC, ingest_id DESC
    )
    INSERT INTO sessions AS held ({identity}, started_at, timestamp, {columns},
        clock_suspect, payload, created_at, ingest_id)
    SELECT newest.tenant, newest.session_id, newest.identity_at, placed.started_at, sent_at,
            {extracted},
            clock_suspect, body, received_at, ingest_id
    FROM newest JOIN placed ON placed.tenant = newest.tenant AND placed.session_id = newest.session_id
        AND coalesce(placed.identity_at, '-infinity') = coalesce(newest.identity_at, '-infinity')
    ORDER BY newest.tenant, newest.session_id, newest.identity_at
    ON CONFLICT ({identity}, started_at) DO UPDATE SET {updated}
    WHERE (held.timestamp, held.created_at, held.ingest_id)
        < (EXCLUDED.timestamp, EXCLUDED.created_at, EXCLUDED.ingest_id)
    """  # noqa: S608


FOLLOW = _follow()
"""One batch, the parameter `batch`: keys first, in order, so that concurrent batches never deadlock on them."""

PLACEMENTS: LiteralString = """
    SELECT asked.tenant, asked.session_id, asked.identity_ms,
        (extract(epoch FROM known.started_at) * 1000)::bigint
    FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS asked (tenant, session_id, identity_ms)
    JOIN session_keys AS known ON known.tenant = asked.tenant AND known.session_id = asked.session_id
        AND known.identity_at IS NOT DISTINCT FROM
            to_timestamp(asked.identity_ms / 1000) + (asked.identity_ms %% 1000) * interval '1 millisecond'
"""
