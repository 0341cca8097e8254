"""Core sessions by the million, drawn at random and kept for the next run, in the lake's own layout.

They are for the speed of reading and summing: their marginal shares are a platform's, who watches what is not modelled
(that is the business of `lab.population`). What is timed over them is in `qoe` and `refresh`.
"""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from warehouse.datasets import CORE_SESSIONS, definition_version
from warehouse.lake import Lake
from warehouse.metrics.outcomes import outcome
from warehouse.settings import DEFAULT_DIMENSIONS

FIRST = date(2026, 1, 1)
DAYS = 30
DAY_MS = 86_400_000


def _named(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name} {number:03d}" for number in range(count))


_VALUES = {
    "content_id": _named("title", 60),
    "stream_type": ("dash", "hls", "progressive"),
    "app_version": _named("app", 12),
    "device_model": _named("device", 60),
    "os_version": _named("os", 8),
    "network_type": ("wifi", "cellular", "ethernet"),
    "country": _named("country", 40),
    "cdn": ("north", "south", "west"),
}


def core_lake(rows: int, folder: Path | None = None) -> Lake:
    """Return a lake of `rows` core sessions over 30 days; it is made only where `folder` does not hold it yet."""
    base = folder or Path(tempfile.gettempdir()) / "playhead-benchmarks"
    order = "-".join(CORE_SESSIONS.sorted_by)
    path = base / f"core-{rows}-{definition_version(DEFAULT_DIMENSIONS)}-{order}"
    if not path.exists():
        made = base / f"{path.name}.part"
        shutil.rmtree(made, ignore_errors=True)
        lake = Lake(str(made), DEFAULT_DIMENSIONS)
        for number in range(DAYS):
            day = FIRST + timedelta(days=number)
            sessions = rows * (number + 1) // DAYS - rows * number // DAYS
            lake.replace_days(CORE_SESSIONS, core_sessions(day, sessions), [day])
        made.rename(path)
    return Lake(str(path), DEFAULT_DIMENSIONS)


def core_sessions(day: date, rows: int) -> pl.DataFrame:
    """Return sessions of one day and tenant; the same arguments give the same."""
    rng = np.random.default_rng([day.toordinal(), rows])
    started = rng.random(rows) > 0.04
    stalls = np.where(started, rng.poisson(0.4, rows), 0)
    seeks = rng.poisson(0.7, rows)
    times = {
        "startup_ms": rng.lognormal(6.6, 0.7, rows),
        "play_ms": np.where(started, rng.lognormal(12, 1.3, rows), 0),
        "rebuffer_ms": stalls * rng.lognormal(7, 1, rows),
        "seek_ms": seeks * rng.lognormal(6, 0.6, rows),
    }
    text = pl.format("{}-{}-{}", pl.lit(day.isoformat()), pl.lit(rows), pl.int_range(pl.len()))
    measured = pl.DataFrame(
        {name: time.astype(np.int64) for name, time in times.items()}
        | {name: _choice(rng, values, rows) for name, values in _VALUES.items()}
        | {
            "at_ms": np.sort(rng.integers(0, DAY_MS, rows)),
            "rebuffer_count": stalls,
            "seek_count": seeks,
            "dropped_frames": rng.poisson(4, rows),
            "bitrate_bps": rng.lognormal(15, 0.5, rows).astype(np.int64),
            "error_count": (rng.random(rows) < 0.02).astype(np.int64),
            "user": rng.integers(0, rows // 10 + 1, rows),
        }
    ).with_columns(startup_ms=pl.when(pl.Series(started)).then("startup_ms"))
    played = pl.col("play_ms") + pl.col("rebuffer_ms")
    at = pl.lit(datetime(day.year, day.month, day.day, tzinfo=UTC)) + pl.duration(milliseconds="at_ms")
    schema = CORE_SESSIONS.schema(DEFAULT_DIMENSIONS)
    named = measured.with_columns(
        day=pl.lit(day),
        tenant=pl.lit("benchmark"),
        session_id=text,
        ingest_id=text,
        user_id=pl.format("user-{}", "user"),
        device_id=pl.format("device-{}", "user"),
        started_at=at,
        sent_at=at,
        received_at=at,
        duration_ms=played + pl.col("startup_ms").fill_null(0) + pl.col("seek_ms"),
        rebuffer_ratio_media3=pl.when(pl.col("play_ms") > 0).then(pl.col("rebuffer_ms") / played),
        clock_suspect=pl.lit(False),
        outcome=outcome(),
    )
    missing = {name: pl.lit(None) for name in schema if name not in named.columns}
    return named.with_columns(**missing).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _choice(rng: np.random.Generator, values: Sequence[str], rows: int) -> pl.Series:
    """Draw by Zipf's law, the first value the most often."""
    weights = 1 / np.arange(1, len(values) + 1)
    drawn = rng.choice(len(values), rows, p=weights / weights.sum())
    return pl.Series(values, dtype=pl.String).gather(drawn)
