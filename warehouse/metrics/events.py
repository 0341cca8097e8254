"""Raw player events become core events: typed, one row an event, in the one order that all readers use.

What a session makes of its events is in `playback` and `watching`, what of the content was watched in `engagement`.
"""

import polars as pl

from warehouse.datasets.events import CORE_EVENTS, DATA_COLUMNS, EVENT_TYPES

NEWEST = ("occurred_at", "received_at", "ingest_id")
"""Of several events of one id, the one whose values of these are greatest counts."""

_BODY = pl.Struct(
    {
        "type": pl.String,
        "videoId": pl.String,
        "userId": pl.String,
        "data": pl.Struct({key: dtype for key, dtype, _ in DATA_COLUMNS.values()}),
    }
)


def build_core(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `CORE_EVENTS` from rows of `RAW_EVENTS` in any order and repetition, in `ordered`'s order.

    Rows that Postgres refused are left out. Payloads hold to their contract (`POST /analytics/events`): raises
    polars' ComputeError for one that does not.
    """
    sound = raw.filter(pl.col("refused").is_null())
    body = pl.col("payload").str.json_decode(_BODY).alias("body")
    decoded = sound.with_columns(body).with_columns(
        pl.col("body").struct.field("type"),
        pl.col("body").struct.field("videoId").alias("content_id"),
        pl.col("body").struct.field("userId").alias("user_id"),
        *(
            pl.col("body").struct.field("data").struct.field(key).alias(name)
            for name, (key, _, _) in DATA_COLUMNS.items()
        ),
    )
    newest = decoded.sort(*NEWEST, nulls_last=False).unique(subset=CORE_EVENTS.key, keep="last")
    schema = CORE_EVENTS.schema()
    return ordered(newest.select(*schema).cast(schema))


def ordered(events: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `CORE_EVENTS` by session and time; of one instant, in the order of a playback; then by id.

    Events whose time nobody knows stand first.
    """
    rank = pl.col("type").replace_strict({name: at for at, name in enumerate(_SAME_INSTANT)}, return_dtype=pl.Int64)
    second = pl.col("phase").eq_missing(pl.lit("end"))
    return events.sort("tenant", "session_id", "occurred_at", rank, second, "event_id", nulls_last=False)


_FIRST = ("load", "ready", "seek", "play", "quality_change", "buffer_start", "buffer_end", "heartbeat")
_SAME_INSTANT = (*_FIRST, *(name for name in EVENT_TYPES if name not in _FIRST))
