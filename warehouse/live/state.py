"""The present state of a running stream, read again each second: the last minute's chat, viewers, sentiment, moments.

Detection is `metrics.moments` over what landed; minutes of the past are in `live_reading`.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import psycopg

from warehouse.live.reading import LOOKBACK, Landed, StreamKey, landed, newest_moments
from warehouse.metrics import live_bins, moment_rows
from warehouse.metrics.chat import top_emotes
from warehouse.metrics.live_bins import BIN_S
from warehouse.metrics.moments import StreamState, advance
from warehouse.metrics.sentiment import Sentiment

WINDOW_S = 60
"""Seconds that rates and counts are over."""

LATE_S = 5
"""How long a bin waits for what is late before it is judged."""

RECENT_MOMENTS = 5

_VIEWERS = """
    SELECT viewer_count FROM viewer_timeseries WHERE tenant = %s AND stream_id = %s AND timestamp <= %s
    ORDER BY timestamp DESC LIMIT 1
"""


class LiveStream:
    """What a worker knows of a stream that somebody watches. `read` is called by one thread at a time."""

    def __init__(self, key: StreamKey, sentiment: Sentiment) -> None:
        self.key = key
        self._sentiment = sentiment
        self._state = StreamState()
        self._judged_until: datetime | None = None
        self._moments: deque[dict[str, Any]] = deque(maxlen=RECENT_MOMENTS)

    def read(self, connection: psycopg.Connection, now: datetime) -> dict[str, Any]:
        """Return the message of type `metrics`. Raises psycopg errors."""
        if self._judged_until is None:
            self._moments.extend(reversed(newest_moments(connection, self.key, RECENT_MOMENTS)))
        since = now - timedelta(seconds=WINDOW_S)
        begin = self._judged_until or now - LOOKBACK
        found = landed(connection, self.key, min(since, begin), now, self._sentiment)
        self._judge(found, now)
        viewers = connection.execute(_VIEWERS, (self.key.tenant, self.key.stream_id, now)).fetchone()
        fields = {
            "stream_id": self.key.stream_id,
            "viewer_count": 0 if viewers is None else viewers[0],
            **_last_minute(found.chat.filter(pl.col("sent_at") >= since)),
            "recent_moments": list(reversed(self._moments)),
        }
        data = fields | {"timestamp": round(now.timestamp() * 1000)}
        return {"type": "metrics", "timestamp": now, **fields, "data": data}

    def _judge(self, found: Landed, now: datetime) -> None:
        """Judge every bin that is over, once."""
        until_s = (int(now.timestamp()) - LATE_S) // BIN_S * BIN_S
        begin_s = self._state.next_s or 0
        closed = pl.col("bin_s").is_between(begin_s, until_s, closed="left")
        for _, bins in live_bins.by_stream(live_bins.bins(found.chat, found.viewers).filter(closed)):
            self._state, moments, _ = advance(self._state, bins)
            for moment in moments:
                row = moment_rows.named(moment_rows.row(self.key.tenant, self.key.stream_id, moment))
                if row["moment_id"] not in {known["moment_id"] for known in self._moments}:
                    self._moments.append(row)
        self._judged_until = now - timedelta(seconds=LATE_S + 2 * BIN_S)


def _last_minute(chat: pl.DataFrame) -> dict[str, Any]:
    used = top_emotes(chat, ("stream_id",)).select("top_emotes", "top_emote_counts").rows()
    names, counts = used[0] if used else ([], [])
    return {
        "chat_rate": chat.height / WINDOW_S,
        "unique_chatters": chat["user_id"].drop_nulls().n_unique(),
        "top_emotes": [{"name": name, "count": count} for name, count in zip(names, counts, strict=True)],
        "sentiment_score": chat["sentiment"].mean(),
    }
