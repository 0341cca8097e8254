"""Raw rows of live streams become core rows: typed, one row a message, a sample, a stream and day.

What is counted in them is in `chat` and `live_bins`; the sentiment of a message in `sentiment`.
"""

from collections.abc import Mapping

import polars as pl

from warehouse.datasets.live import CORE_CHAT, CORE_STREAMS, CORE_VIEWERS
from warehouse.metrics.sentiment import Sentiment

NEWEST = ("received_at", "ingest_id")
"""Of several rows of one key, the one whose values of these are greatest counts."""

_CHAT = {"user_id": pl.String(), "username": pl.String(), "message": pl.String(), "emotes": pl.List(pl.String())}
_VIEWERS = {"viewer_count": pl.Int64()}
_STREAMS = {"title": pl.String(), "streamer_name": pl.String(), "game_category": pl.String()}
_FLAGS = {"is_live": pl.Boolean(), "public": pl.Boolean()}


def build_chat(raw: pl.DataFrame, sentiment: Sentiment) -> pl.DataFrame:
    """Return the rows of `CORE_CHAT` from rows of `RAW_CHAT` in any order and repetition, sorted by key.

    Here as in the other two, rows that Postgres refused are left out, and payloads hold to their contract: raises
    polars' ComputeError for one that does not.
    """
    rows = _newest(_decoded(raw, _CHAT), CORE_CHAT.key).with_columns(pl.col("emotes").fill_null([]))
    schema = CORE_CHAT.schema()
    return rows.with_columns(sentiment.of_all(rows)).select(*schema).cast(schema)


def build_viewers(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `CORE_VIEWERS` from rows of `RAW_VIEWERS` in any order and repetition, sorted by key."""
    schema = CORE_VIEWERS.schema()
    return _newest(_decoded(raw, _VIEWERS), CORE_VIEWERS.key).select(*schema).cast(schema)


def build_streams(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `CORE_STREAMS` from rows of `RAW_STREAMS` in any order and repetition, sorted by key.

    A stream that does not say so is neither live nor public.
    """
    rows = _newest(_decoded(raw, {**_STREAMS, **_FLAGS}), CORE_STREAMS.key)
    schema = CORE_STREAMS.schema()
    flags = pl.col(*_FLAGS).fill_null(value=False)
    return rows.with_columns(flags).select(*schema).cast(schema)


def _decoded(raw: pl.DataFrame, fields: Mapping[str, pl.DataType]) -> pl.DataFrame:
    body = pl.col("payload").str.json_decode(pl.Struct(fields))
    return raw.filter(pl.col("refused").is_null()).with_columns(body.struct.unnest())


def _newest(rows: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    return rows.sort(*key, *NEWEST).unique(subset=key, keep="last", maintain_order=True)
