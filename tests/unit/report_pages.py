"""Reports for the tests of pages, built from sessions by the real metrics: with a bad release, or little measured."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from dashboards.qoe_report import QoeReport, build
from tests.unit.session_frames import DAY, START, core_frame
from warehouse.metrics import histogram, qoe

DIMENSIONS = {"app_version": "appVersion", "device_model": "deviceModel", "cdn": "cdn"}
BAD_RELEASE, BAD_DAY, DAYS = "2.0.0", 7, 10
EVIL = "</script><img src=x onerror=document.title='owned'>{{7*7}}%{x}"
"""What a sender may put into any text: it must come out as text."""


def sessions(count: int = 2400) -> pl.DataFrame:
    """Ten days of sessions; on one of them release 2.0.0 plays, stalls and fails."""
    draw = random.Random(7)
    return core_frame([_session(draw, number) for number in range(count)], DIMENSIONS)


def _session(draw: random.Random, number: int) -> dict[str, Any]:
    day = draw.randrange(DAYS)
    bad = day == BAD_DAY
    started = draw.random() > (0.12 if bad else 0.01)
    stalls = draw.random() < (0.8 if bad else 0.3)
    measured = {
        "startup_ms": round(draw.lognormvariate(6.6, 0.5)),
        "play_ms": draw.randint(60_000, 3_600_000),
        "rebuffer_ms": draw.randint(500, 20_000) * (4 if bad else 1) if stalls else 0,
        "rebuffer_count": int(stalls),
        "seek_ms": 0,
        "seek_count": 0,
        "bitrate_bps": draw.choice([800_000, 3_000_000]),
    }
    return {
        "day": DAY + timedelta(days=day),
        "session_id": f"s{number}" if number % 50 else f"s{number}{EVIL}",
        "ingest_id": f"i{number}",
        "started_at": START + timedelta(days=day),
        "user_id": f"u{draw.randrange(300)}",
        "content_id": draw.choice(["film", "match", EVIL]),
        "stream_type": draw.choice(["dash", "hls"]),
        "error_count": int(not started),
        "duration_ms": 3_000_000,
        "app_version": BAD_RELEASE if bad else "1.0.0",
        "device_model": draw.choice(["Pixel 8", EVIL]),
    } | (measured if started else {})


def unmeasured() -> pl.DataFrame:
    """Sessions of a player that times neither startup nor stalls and counts no errors."""
    absent = ("startup_ms", "rebuffer_ms", "error_count", "outcome", "app_version", "device_model", "seek_ms")
    core = sessions(400)
    return core.with_columns(pl.lit(None, core.schema[name]).alias(name) for name in absent)


def report(core: pl.DataFrame, **changes: Any) -> QoeReport:
    given: dict[str, Any] = {
        "tenant": "t",
        "built_at": datetime(2026, 3, 20, 6, 30, tzinfo=UTC),
        "definition_version": "abc123",
        "dimensions": tuple(DIMENSIONS),
    }
    return build(qoe.aggregate(core, DIMENSIONS), histogram.aggregate(core, DIMENSIONS), core, **given | changes)
