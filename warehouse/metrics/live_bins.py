"""Chat and viewer samples counted in short bins: what the detectors of moments read.

Bins of `BIN_S` seconds, aligned to the epoch; only those in which something was seen. What follows from them is in
`moments`; minutes are in `chat`.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import polars as pl

from warehouse.metrics.sentiment import exact_sum

BIN_S = 5
"""Seconds of a bin: a window of six then misses a burst of 30 s by 2.5 s at most, wherever it begins."""

KEY = ("tenant", "stream_id", "bin_s")


class Bin(NamedTuple):
    """What a stream showed within `BIN_S` seconds from `at_s`, in epoch seconds."""

    at_s: int
    chat_count: int = 0
    sentiment_n: int = 0
    """Messages with any sentiment."""
    sentiment_sum: float = 0.0
    viewer_n: int = 0
    """Viewer samples."""
    viewer_sum: int = 0


def bins(chat: pl.DataFrame, viewers: pl.DataFrame) -> pl.DataFrame:
    """Return [tenant, stream_id, bin_s, and the fields of `Bin` after `at_s`], sorted by stream and time.

    `chat` needs the columns tenant, stream_id, sent_at and sentiment of `CORE_CHAT`, `viewers` tenant, stream_id,
    sampled_at and viewer_count of `CORE_VIEWERS`; each row is taken once, in any order. `bin_s` is the start of the
    bin in epoch seconds.
    """
    written = (
        chat.with_columns(bin_s=_bin("sent_at"))
        .group_by(KEY)
        .agg(
            chat_count=pl.len().cast(pl.Int64),
            sentiment_n=pl.col("sentiment").count().cast(pl.Int64),
            sentiment_sum=exact_sum(),
        )
    )
    sampled = (
        viewers.with_columns(bin_s=_bin("sampled_at"))
        .group_by(KEY)
        .agg(viewer_n=pl.len().cast(pl.Int64), viewer_sum=pl.col("viewer_count").sum())
    )
    joined = written.join(sampled, on=KEY, how="full", coalesce=True)
    return joined.select(*KEY, *(pl.col(name).fill_null(0) for name in Bin._fields[1:])).sort(KEY)


def by_stream(frame: pl.DataFrame) -> Iterator[tuple[tuple[str, str], list[Bin]]]:
    """Yield (tenant, stream_id) and the bins of each stream of `bins`, in order."""
    for stream, rows in groupby(frame.iter_rows(), itemgetter(0, 1)):
        yield stream, [Bin(*row[2:]) for row in rows]


def _bin(name: str) -> pl.Expr:
    return pl.col(name).dt.epoch("s") // BIN_S * BIN_S
