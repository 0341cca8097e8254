"""Reports of live streams and of engagement for the tests of pages, built by the real metrics from small frames."""

import random
from typing import Any

import polars as pl

from dashboards import engagement_report, streams_report
from dashboards.engagement_report import EngagementReport
from dashboards.streams_report import StreamsReport, Tables
from tests.unit.live_frames import DAY, START, at, chat_frame, events_frame, viewers_frame
from tests.unit.report_pages import EVIL
from warehouse.datasets.live import CORE_STREAMS
from warehouse.metrics import chat, engagement, live_bins, moment_rows

MINUTES = 70


def tables() -> Tables:
    """An hour of one stream with a burst of chat, and two minutes of another, whose texts are hostile."""
    draw = random.Random(5)
    messages = [
        {"s": second + n / 9, "user_id": f"u{draw.randrange(40)}", "emotes": [EVIL] if n else []}
        | {"sentiment": draw.choice([None, 0.4, 0.6])}
        for second in range(MINUTES * 60)
        for n in range(9 if 2_400 <= second < 2_430 else draw.choice([1, 2, 3]))
    ]
    samples = [{"s": second, "viewer_count": draw.randrange(90, 110)} for second in range(0, MINUTES * 60, 10)]
    short = [{"s": second, "stream_id": "short", "viewer_count": 7} for second in (0, 60)]
    told, seen = chat_frame(messages), viewers_frame(samples + short)
    found, scores = moment_rows.detect(live_bins.bins(told, seen), DAY)
    described = {"stream_id": "x", "title": EVIL, "streamer_name": "ada", "is_live": True, "public": False}
    row = {"day": DAY, "tenant": "t", "received_at": START, "ingest_id": "1", **described}
    streams = pl.DataFrame([{name: row.get(name) for name in CORE_STREAMS.columns}], schema=CORE_STREAMS.schema())
    frames = (chat.minutes(told, seen, scores), found, streams, told, seen)
    return Tables(*(frame.lazy() for frame in frames))


def streams(given: Tables | None = None, **changes: Any) -> StreamsReport:
    settings: dict[str, Any] = {"tenant": "t", "built_at": at(9_000), "definition_version": "abc123"}
    return streams_report.build(given or tables(), **settings | changes)


def watched(sessions: int = 30, content_id: str = EVIL) -> pl.DataFrame:
    """Rows of OUT_ENGAGEMENT: session n of a title of 100 s leaves after 4 n seconds, each third watches 10 s again."""
    rows: list[dict[str, Any]] = []
    for n in range(1, sessions + 1):
        end = min(4.0 * n, 100.0)
        told: list[dict[str, Any]] = [
            {"type": "load", "duration_s": 100.0},
            {"type": "play", "position_s": 0.0},
            {"type": "complete" if end == 100 else "pause", "position_s": end},
        ]
        if n % 3 == 0:
            told += [{"type": "play", "position_s": 0.0}, {"type": "pause", "position_s": 10.0}]
        own = {"session_id": f"s{n}", "user_id": f"u{n}", "content_id": content_id}
        rows += [{"s": number} | event | own for number, event in enumerate(told)]
    core = events_frame(rows)
    return engagement.aggregate(core, engagement.segments(core))


def engaged(rows: pl.DataFrame, **changes: Any) -> EngagementReport:
    settings: dict[str, Any] = {"tenant": "t", "built_at": at(9_000), "definition_version": "abc123"}
    return engagement_report.build(rows, **settings | changes)
