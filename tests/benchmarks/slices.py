"""How long a slice of a year takes: `uv run python -m tests.benchmarks.slices`.

365 days of the sums and histograms of 200 contents in two stream types and of five dimensions of 40 values, in a lake
on disk; each question is asked three times and the slowest told.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from tests.unit.session_frames import START, core_frame
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.lake import Lake
from warehouse.metrics import histogram, qoe
from warehouse.metrics.outcomes import outcome

SESSIONS_A_DAY = 20_000
DIMENSIONS = {name: name for name in ("app_version", "device_model", "network_type", "country", "cdn")}
DAYS = [date(2025, 1, 1) + timedelta(days=day) for day in range(365)]
DAYS_AT_ONCE = 73
QUESTIONS: tuple[tuple[Sequence[str], Sequence[pl.Expr]], ...] = (
    ((), ()),
    (("month",), ()),
    (("content_id",), ()),
    (("day",), (pl.col("content_id") == "c7",)),
    (("day",), (pl.col("app_version") == "v3",)),
    (("week", "app_version"), ()),
)


def one_day() -> pl.DataFrame:
    """Sessions of a day that measure everything."""
    rng, n = np.random.default_rng(1), SESSIONS_A_DAY
    measures = {
        "startup_ms": rng.lognormal(6.7, 0.7, n).astype(int),
        "play_ms": rng.lognormal(13.3, 1.0, n).astype(int),
        "rebuffer_ms": rng.lognormal(8.0, 1.5, n).astype(int) * (rng.random(n) < 0.4),
        "rebuffer_count": rng.poisson(1.0, n),
        "error_count": rng.binomial(1, 0.01, n),
        "bitrate_bps": rng.integers(500_000, 8_000_000, n),
    }
    frame = core_frame([{"started_at": START}] * n, DIMENSIONS).with_columns(
        content_id="c" + pl.Series(rng.integers(0, 200, n)).cast(pl.String),
        stream_type=pl.Series(rng.choice(["hls", "dash"], n)),
        **{name: pl.Series(values) for name, values in measures.items()},
        **{name: "v" + pl.Series(rng.integers(0, 40, n)).cast(pl.String) for name in DIMENSIONS},
    )
    return frame.with_columns(outcome=outcome())


def fill(lake: Lake) -> Iterator[int]:
    """Write the year, the same day again and again; yield the rows of each table."""
    core = one_day()
    for dataset, aggregate in ((OUT_QOE_DAILY, qoe.aggregate), (OUT_QOE_HISTOGRAM_DAILY, histogram.aggregate)):
        rows = aggregate(core, DIMENSIONS)
        for first in range(0, len(DAYS), DAYS_AT_ONCE):
            days = DAYS[first : first + DAYS_AT_ONCE]
            lake.replace_days(dataset, pl.concat([rows.with_columns(day=pl.lit(day)) for day in days]), days)
        yield rows.height * len(DAYS)


def main() -> None:
    """Print the slowest of three answers to each question."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder, DIMENSIONS)
        sums, buckets = fill(lake)
        sys.stdout.write(f"{sums:,} rows of sums, {buckets:,} of histograms\n")
        for by, where in QUESTIONS:
            taken = []
            for _ in range(3):
                began = time.perf_counter()
                answer = qoe.slice(lake, by, where)
                taken.append(time.perf_counter() - began)
            asked = f"by {', '.join(by) or 'nothing'}{' of one value' if where else ''}"
            sys.stdout.write(f"{asked:28}{answer.frame.height:>8,} rows  {max(taken):.2f} s  {answer.source}\n")


if __name__ == "__main__":
    main()
