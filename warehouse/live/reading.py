"""What is read of live streams in Postgres: streams, minutes, moments, and what landed within the last minutes.

Minutes and moments are those published; what landed after the newest published minute is computed from the landed rows
by the same functions. Nothing is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import psycopg
from psycopg.rows import dict_row

from warehouse.datasets.dataset import INSTANT
from warehouse.metrics import chat, live_bins, moment_rows
from warehouse.metrics.sentiment import Sentiment

LOOKBACK = timedelta(minutes=30)
"""What the live path knows of a stream before it begins to judge: three times the longest memory of a baseline."""

MOST_UNPUBLISHED = timedelta(hours=1)
"""How far back minutes are computed where nothing is published; what is older comes with the next refresh."""

_STREAMS = """
    SELECT stream_id, title, streamer_name, game_category, started_at, is_live, public, created_at, updated_at,
        (SELECT viewer_count FROM viewer_timeseries AS seen WHERE seen.tenant = streams.tenant
            AND seen.stream_id = streams.stream_id ORDER BY timestamp DESC LIMIT 1) AS viewer_count
    FROM streams WHERE CASE WHEN %(tenant)s::text IS NULL THEN public ELSE tenant = %(tenant)s END
    ORDER BY coalesce(started_at, created_at) DESC, stream_id LIMIT %(limit)s OFFSET %(offset)s
"""
_MINUTES = """
    SELECT window_start, window_end, chat_count, unique_chatters, top_emotes, top_emote_counts, avg_sentiment,
        sentiment_coverage_ratio, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly
    FROM out_chat_minute WHERE tenant = %s AND stream_id = %s AND window_start < %s
    ORDER BY window_start DESC LIMIT %s OFFSET %s
"""
_MOMENTS = """
    SELECT moment_id, stream_id, timestamp, moment_type, description, metric_name, metric_value, threshold, z_score,
        metadata
    FROM moments WHERE tenant = %s AND stream_id = %s AND timestamp < %s
    ORDER BY timestamp DESC, moment_id LIMIT %s OFFSET %s
"""
_FIND = """
    SELECT tenant, concat_ws(' ', ingest_id,
        (SELECT timestamp FROM chat_messages AS said WHERE said.tenant = streams.tenant
            AND said.stream_id = streams.stream_id ORDER BY timestamp DESC LIMIT 1),
        (SELECT timestamp FROM viewer_timeseries AS seen WHERE seen.tenant = streams.tenant
            AND seen.stream_id = streams.stream_id ORDER BY timestamp DESC LIMIT 1),
        (SELECT string_agg(fingerprint, ' ' ORDER BY day) FROM published_days
            WHERE dataset IN ('out_chat_minute', 'out_moments')))
    FROM streams WHERE stream_id = %(stream)s AND (public OR tenant = %(tenant)s)
    ORDER BY tenant = %(tenant)s DESC NULLS LAST, updated_at DESC LIMIT 1
"""
_LANDED_CHAT = """
    SELECT tenant, stream_id, message_id, timestamp, user_id, message, emotes
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS asked (tenant, stream_id, since)
    JOIN chat_messages USING (tenant, stream_id) WHERE timestamp >= since AND timestamp < %s
"""
_LANDED_VIEWERS = """
    SELECT tenant, stream_id, timestamp, viewer_count
    FROM unnest(%s::text[], %s::text[], %s::timestamptz[]) AS asked (tenant, stream_id, since)
    JOIN viewer_timeseries USING (tenant, stream_id) WHERE timestamp >= since AND timestamp < %s
"""
_TEXT = pl.String()
_STREAM = {"tenant": _TEXT, "stream_id": _TEXT}
_CHAT = _STREAM | {
    "message_id": _TEXT,
    "sent_at": INSTANT,
    "user_id": _TEXT,
    "message": _TEXT,
    "emotes": pl.List(_TEXT),
}
_VIEWERS = _STREAM | {"sampled_at": INSTANT, "viewer_count": pl.Int64()}

Rows = list[dict[str, Any]]


class StreamKey(NamedTuple):
    """A stream and whose it is."""

    tenant: str
    stream_id: str


@dataclass(frozen=True)
class Landed:
    """Chat and viewer samples of some streams, as `metrics.live_bins` and `metrics.chat` take them."""

    chat: pl.DataFrame
    viewers: pl.DataFrame


def streams(connection: psycopg.Connection, tenant: str | None, *, limit: int, offset: int) -> Rows:
    """Return the tenant's streams with their newest viewer count, or without a tenant the public ones."""
    return _rows(connection, _STREAMS, {"tenant": tenant, "limit": limit, "offset": offset})


def find(connection: psycopg.Connection, stream_id: str, tenant: str | None) -> tuple[StreamKey, str] | None:
    """Return the stream that this tenant may read, its own or else a public one, and a mark of what is known of it.

    The mark changes with the newest message, sample or publication. None where there is no such stream.
    """
    row = connection.execute(_FIND, {"stream": stream_id, "tenant": tenant}).fetchone()
    return None if row is None else (StreamKey(row[0], stream_id), row[1])


def mark(connection: psycopg.Connection) -> str:
    """Return a mark of all streams, which changes with every description and sample that lands."""
    row = connection.execute(
        "SELECT concat_ws(' ', (SELECT max(ingest_id::text) FROM streams),"
        " (SELECT max(created_at) FROM viewer_timeseries))"
    ).fetchone()
    return "" if row is None else row[0]


def minutes(
    connection: psycopg.Connection, key: StreamKey, now: datetime, sentiment: Sentiment, *, limit: int, offset: int
) -> Rows:
    """Return minutes, newest first: columns of `OUT_CHAT_MINUTE`."""
    since = _published_until(connection, key, now)
    rows, _ = _unpublished(connection, key, since, now, sentiment)
    return _paged(connection, _MINUTES, key, since, rows, limit, offset)


def moments(
    connection: psycopg.Connection, key: StreamKey, now: datetime, sentiment: Sentiment, *, limit: int, offset: int
) -> Rows:
    """Return moments, newest first, with every column of the view `moments`."""
    since = _published_until(connection, key, now)
    _, rows = _unpublished(connection, key, since, now, sentiment)
    return _paged(connection, _MOMENTS, key, since, rows, limit, offset)


def newest_moments(connection: psycopg.Connection, key: StreamKey, limit: int) -> Rows:
    """Return the newest published moments."""
    return _rows(connection, _MOMENTS, (key.tenant, key.stream_id, "infinity", limit, 0))


def landed(
    connection: psycopg.Connection, since: Mapping[StreamKey, datetime], until: datetime, sentiment: Sentiment
) -> Landed:
    """Return what streams show, each from its `since` (included) to `until`, with its sentiment."""
    asked = ([key.tenant for key in since], [key.stream_id for key in since], list(since.values()), until)
    messages = pl.DataFrame(connection.execute(_LANDED_CHAT, asked).fetchall(), schema=_CHAT, orient="row")
    viewers = pl.DataFrame(connection.execute(_LANDED_VIEWERS, asked).fetchall(), schema=_VIEWERS, orient="row")
    return Landed(messages.with_columns(sentiment.of_all(messages)), viewers)


def _published_until(connection: psycopg.Connection, key: StreamKey, now: datetime) -> datetime:
    """Return the newest published minute, which may have been published before it was over."""
    row = connection.execute(
        "SELECT max(window_start) FROM out_chat_minute WHERE tenant = %s AND stream_id = %s",
        (key.tenant, key.stream_id),
    ).fetchone()
    oldest = (now - MOST_UNPUBLISHED).replace(second=0, microsecond=0)
    return row[0] if row and row[0] and row[0] > oldest else oldest


def _unpublished(
    connection: psycopg.Connection, key: StreamKey, since: datetime, now: datetime, sentiment: Sentiment
) -> tuple[Rows, Rows]:
    """Return minutes from `since` on and moments after it, newest first."""
    found = landed(connection, {key: since - LOOKBACK}, now, sentiment)
    bins = live_bins.bins(found.chat, found.viewers)
    days = {(since + timedelta(days=n)).date() for n in range((now.date() - since.date()).days + 1)}
    detected = [moment_rows.detect(bins, day) for day in sorted(days)]
    rows = chat.minutes(
        found.chat.filter(pl.col("sent_at") >= since),
        found.viewers.filter(pl.col("sampled_at") >= since),
        pl.concat([moment_rows.NO_SCORES, *(scores for _, scores in detected)]),
    )
    moment = pl.concat([moment_rows.NO_MOMENTS, *(rows for rows, _ in detected)]).filter(pl.col("detected_at") >= since)
    return (
        rows.sort("window_start", descending=True).to_dicts(),
        [
            moment_rows.named(row)
            for row in moment.sort("detected_at", "moment_id", descending=[True, False]).to_dicts()
        ],
    )


def _paged(
    connection: psycopg.Connection,
    query: str,
    key: StreamKey,
    since: datetime,
    newest: Rows,
    limit: int,
    offset: int,
) -> Rows:
    """Return a page of the computed rows, followed by the published ones before `since`."""
    page = newest[offset : offset + limit]
    rest = (limit - len(page), max(offset - len(newest), 0))
    return page + _rows(connection, query, (key.tenant, key.stream_id, since, *rest)) if rest[0] else page


def _rows(connection: psycopg.Connection, query: str, values: Sequence[object] | dict[str, object]) -> Rows:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
