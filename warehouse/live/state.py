"""The present state of running streams, read again each second: the last minute's chat, viewers, sentiment, moments.

All that are watched are read at once. Detection is `metrics.moments` over what landed; minutes of the past are in
`reading`.
"""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import psycopg

from warehouse.live.reading import LOOKBACK, StreamKey, landed, newest_moments
from warehouse.metrics import live_bins, moment_rows
from warehouse.metrics.chat import top_emotes
from warehouse.metrics.live_bins import BIN_S, Bin, by_stream
from warehouse.metrics.moments import StreamState, advance
from warehouse.metrics.sentiment import Sentiment, exact_sum

WINDOW_S = 60
"""Seconds that rates and counts are over."""

LATE_S = 5
"""How long a bin waits for what is late before it is judged."""

RECENT_MOMENTS = 5

_VIEWERS = """
    SELECT tenant, stream_id, viewer_count
    FROM unnest(%s::text[], %s::text[]) AS asked (tenant, stream_id)
    CROSS JOIN LATERAL (
        SELECT viewer_count FROM viewer_timeseries AS seen
        WHERE seen.tenant = asked.tenant AND seen.stream_id = asked.stream_id AND timestamp <= %s
        ORDER BY timestamp DESC LIMIT 1
    ) AS newest
"""
_STREAM = ("tenant", "stream_id")

Fields = dict[str, Any]

_SILENT: Fields = {"chat_rate": 0.0, "unique_chatters": 0, "top_emotes": [], "sentiment_score": None}


class LiveStream:
    """What a worker remembers of a stream that somebody watches."""

    def __init__(self, key: StreamKey) -> None:
        self.key = key
        self.moments: deque[Fields] = deque(maxlen=RECENT_MOMENTS)
        """The newest ones, the newest last."""
        self.judged_until: datetime | None = None
        """None before it was first read."""
        self._state = StreamState()

    def judge(self, bins: Sequence[Bin], now: datetime) -> None:
        """Judge every bin that is over, once; `bins` are in order, from `judged_until` at the latest."""
        until_s = (int(now.timestamp()) - LATE_S) // BIN_S * BIN_S
        begin_s = self._state.next_s or 0
        self._state, moments, _ = advance(self._state, [item for item in bins if begin_s <= item.at_s < until_s])
        for moment in moments:
            row = moment_rows.named(moment_rows.row(self.key.tenant, self.key.stream_id, moment))
            if row["moment_id"] not in {known["moment_id"] for known in self.moments}:
                self.moments.append(row)
        self.judged_until = now - timedelta(seconds=LATE_S + 2 * BIN_S)


def read(
    connection: psycopg.Connection, streams: Sequence[LiveStream], now: datetime, *, sentiment: Sentiment
) -> list[Fields]:
    """Return the message of type `metrics` of each stream, in their order. Raises psycopg errors.

    One thread at a time may read a stream. Of one that was not read before, `LOOKBACK` is read: many such at once take
    much memory.
    """
    for stream in streams:
        if stream.judged_until is None:
            stream.moments = deque(reversed(newest_moments(connection, stream.key, RECENT_MOMENTS)), RECENT_MOMENTS)
    since = now - timedelta(seconds=WINDOW_S)
    begin = {stream.key: min(since, stream.judged_until or now - LOOKBACK) for stream in streams}
    found = landed(connection, begin, now, sentiment)
    bins = dict(by_stream(live_bins.bins(found.chat, found.viewers)))
    asked = ([key.tenant for key in begin], [key.stream_id for key in begin], now)
    viewers = {StreamKey(tenant, stream): count for tenant, stream, count in connection.execute(_VIEWERS, asked)}
    written = _written(found.chat.filter(pl.col("sent_at") >= since))
    messages = []
    for stream in streams:
        stream.judge(bins.get(stream.key, ()), now)
        fields = {
            "stream_id": stream.key.stream_id,
            "viewer_count": viewers.get(stream.key, 0),
            **written.get(stream.key, _SILENT),
            "recent_moments": list(reversed(stream.moments)),
        }
        data = fields | {"timestamp": round(now.timestamp() * 1000)}
        messages.append({"type": "metrics", "timestamp": now, **fields, "data": data})
    return messages


def _written(chat: pl.DataFrame) -> dict[StreamKey, Fields]:
    """Return what the chat of the last minute says of each stream that has any."""
    judged = pl.col("sentiment").count()
    counted = chat.group_by(_STREAM).agg(
        chat_rate=pl.len() / WINDOW_S,
        unique_chatters=pl.col("user_id").drop_nulls().n_unique(),
        sentiment_score=pl.when(judged > 0).then(exact_sum() / judged),
    )
    used = {
        StreamKey(tenant, stream): [
            {"name": emote, "count": count} for emote, count in zip(emotes, counts, strict=True)
        ]
        for tenant, stream, emotes, counts in top_emotes(chat, _STREAM).iter_rows()
    }
    written: dict[StreamKey, Fields] = {}
    for row in counted.to_dicts():
        stream = StreamKey(row.pop("tenant"), row.pop("stream_id"))
        written[stream] = row | {"top_emotes": used.get(stream, [])}
    return written
