"""What player events in Postgres tell of a video and of the present: seed 003's VideoMetrics, and a dashboard.

Sessions are measured by `metrics.playback`; where a summary tells of the same session, it wins and events fill its
nulls. Times in ms, rates 0-1.
"""

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row

from warehouse.datasets.events import RAW_EVENTS
from warehouse.metrics import engagement, events
from warehouse.metrics.playback_records import Playback
from warehouse.metrics.watching import playbacks

PRESENT = timedelta(seconds=60)
DASHBOARD = timedelta(hours=24)

_SESSIONS = """
    SELECT session_id, max(created_at) AS newest FROM analytics_events
    WHERE tenant = %(tenant)s AND video_id = %(video)s GROUP BY session_id
    UNION SELECT session_id, created_at FROM sessions
    WHERE tenant = %(tenant)s AND content_id = %(video)s AND identity_at IS NULL
"""
_NEWEST = (
    f"SELECT session_id FROM ({_SESSIONS}) AS told GROUP BY session_id ORDER BY max(newest) DESC, 1 LIMIT %(limit)s"  # noqa: S608
)
_EVENTS = """
    SELECT current_date AS day, tenant, session_id, event_id, timestamp AS occurred_at, clock_suspect,
        created_at AS received_at, ingest_id::text, NULL AS refused, jsonb_build_object('type', event_type,
        'videoId', video_id, 'userId', user_id, 'data', event_data)::text AS payload
    FROM analytics_events WHERE tenant = %s AND session_id = ANY(%s)
"""
_SUMMARIES = """
    SELECT session_id, player_startup_ms, play_time_ms, dropped_frames, nullif(mean_bitrate_bps, -1) AS bitrate_bps,
        payload ->> 'userId' AS user_id
    FROM sessions WHERE tenant = %s AND session_id = ANY(%s) AND identity_at IS NULL
"""
_PRESENT = """
    SELECT count(*) AS events, count(DISTINCT session_id) AS active_sessions, count(DISTINCT user_id) AS active_users,
        count(*) FILTER (WHERE event_type = 'error') AS errors,
        count(*) FILTER (WHERE event_type = 'buffer_start') AS stalls
    FROM analytics_events WHERE tenant = %s AND created_at > %s AND created_at <= %s
"""
_VIDEOS = """
    SELECT video_id AS "videoId", count(DISTINCT session_id) AS sessions, count(*) AS events
    FROM analytics_events WHERE tenant = %s AND created_at > %s AND video_id IS NOT NULL
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10
"""


def dashboard(connection: psycopg.Connection, tenant: str, now: datetime) -> dict[str, Any]:
    """Return what players told in the last minute, and the videos of the last 24 hours with most sessions."""
    with connection.cursor(row_factory=dict_row) as cursor:
        present = cursor.execute(_PRESENT, (tenant, now - PRESENT, now)).fetchone() or {}
        videos = cursor.execute(_VIDEOS, (tenant, now - DASHBOARD)).fetchall()
    return {
        "activeSessions": present["active_sessions"],
        "activeUsers": present["active_users"],
        "eventsPerMinute": present["events"],
        "bufferingEventsPerMinute": present["stalls"],
        "errorsPerMinute": present["errors"],
        "topVideos": videos,
    }


def video(connection: psycopg.Connection, tenant: str, video_id: str, *, limit: int) -> dict[str, Any] | None:
    """Return VideoMetrics over the newest `limit` sessions of a video, and of each of them; None without any."""
    asked = {"tenant": tenant, "video": video_id, "limit": limit}
    newest = [row[0] for row in connection.execute(_NEWEST.encode(), asked).fetchall()]
    if not newest:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_EVENTS, (tenant, newest)).fetchall()
        summaries = {row["session_id"]: row for row in cursor.execute(_SUMMARIES, (tenant, newest)).fetchall()}
    core = events.build_core(pl.DataFrame(rows, schema=RAW_EVENTS.schema()))
    measured = {session: playback for (_, _, session), playback in playbacks(events.ordered(core))}
    completion, users = _completion(core), dict(core.group_by("session_id").agg(pl.col("user_id").max()).iter_rows())
    sessions = [
        _session(video_id, name, measured.get(name), summaries.get(name, {}), completion.get(name), users.get(name))
        for name in newest
    ]
    return _over(video_id, sessions) | {"sessions": sessions}


def _completion(core: pl.DataFrame) -> dict[str, float]:
    """Return how far each session came, as a share of the content's length, where that is known."""
    furthest = engagement.segments(core).group_by("session_id").agg(pl.col("last_s").max())
    length = core.group_by("session_id").agg(pl.col("duration_s").filter(pl.col("duration_s") > 0).max())
    share = (pl.col("last_s").fill_null(0) / pl.col("duration_s")).clip(upper_bound=1.0)
    known = length.join(furthest, on="session_id", how="left").drop_nulls("duration_s")
    return dict(known.select("session_id", share).iter_rows())


def _session(
    video_id: str,
    session_id: str,
    playback: Playback | None,
    summary: dict[str, Any],
    completion: float | None,
    user_id: str | None,
) -> dict[str, Any]:
    told = playback or Playback(0, 0)

    def value(name: str, of_events: int | None) -> int | None:
        said: int | None = summary.get(name)
        return of_events if said is None else said

    return {
        "videoId": video_id,
        "sessionId": session_id,
        "userId": summary.get("user_id") or user_id,
        "startupTime": value("player_startup_ms", told.startup_ms),
        "bufferingEvents": [
            {"timestamp": stall.at_ms, "duration": stall.duration_ms, "position": stall.position_s}
            for stall in told.stalls
        ],
        "averageBitrate": value("bitrate_bps", told.bitrate_bps),
        "watchTime": value("play_time_ms", told.play_ms if playback else None),
        "completionRate": completion,
        "seekEvents": [{"timestamp": seek.at_ms, "from": seek.from_s, "to": seek.to_s} for seek in told.seeks],
        "qualityChanges": [
            {"timestamp": e.at_ms, "bitrate": e.bitrate_bps, "width": e.width, "height": e.height}
            for e in told.quality_changes
        ],
        "droppedFrames": value("dropped_frames", told.dropped_frames),
        "errors": [
            {"timestamp": e.at_ms, "code": e.code, "message": e.message, "fatal": e.fatal is not False}
            | {"kind": e.error_kind or "technical"}
            for e in told.errors
        ],
        "errorRate": float(told.error_count > 0) if playback else None,
    }


def _over(video_id: str, sessions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the video's aggregate: means and sums over the sessions that know a value, lists over all.

    It is of no one session and user: these are null.
    """

    def mean(name: str) -> float | None:
        known = [session[name] for session in sessions if session[name] is not None]
        return sum(known) / len(known) if known else None

    def total(name: str) -> int | None:
        known = [session[name] for session in sessions if session[name] is not None]
        return sum(known) if known else None

    lists = ("bufferingEvents", "seekEvents", "qualityChanges", "errors")
    means = ("startupTime", "averageBitrate", "completionRate", "errorRate")
    return {
        "videoId": video_id,
        "sessionId": None,
        "userId": None,
        "sessionCount": len(sessions),
        **{name: mean(name) for name in means},
        **{name: [item for session in sessions for item in session[name]] for name in lists},
        **{name: total(name) for name in ("watchTime", "droppedFrames")},
    }
