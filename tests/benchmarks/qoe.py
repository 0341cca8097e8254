"""How fast the daily aggregate of content x stream type is beside DuckDB: `uv run python -m tests.benchmarks.qoe`.

Ours is what a build does, but for dimensions and writing: sums and histograms chunk by chunk, and p50 and p95 read from
them. DuckDB gets the same sums and exact quantiles in one statement over the same files. They alternate over rounds,
each in a process of its own, after one that is not counted; what they find is compared. Sessions are drawn once, into a
folder that is kept.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from tests.benchmarks.core_lake import core_lake
from tests.benchmarks.qoe_sql import KEYS, daily_aggregate
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.derivations import QOE_DAILY
from warehouse.engines import POLARS
from warehouse.lake import Lake
from warehouse.metrics import histogram

ROWS = 10_000_000
FEWER = 2_000_000
"""Rows of the run that shows whether memory grows."""
QUANTILES = (0.5, 0.95)


def _lake(rows: int, folder: Path | None) -> Lake:
    """Return the sessions without dimensions, so that only content x stream type is summed."""
    return Lake(core_lake(rows, folder).url, {})


def ours(lake: Lake) -> pl.DataFrame:
    parts = []
    for days in building.chunks(lake, [CORE_SESSIONS], lake.row_counts(CORE_SESSIONS)):
        made = building.aggregates(POLARS, lake, QOE_DAILY, days)
        quantiles = histogram.quantiles(made[OUT_QOE_HISTOGRAM_DAILY.name], qs=QUANTILES, by=KEYS)
        wide = quantiles.pivot("metric", index=KEYS, values="value")
        parts.append(made[OUT_QOE_DAILY.name].join(wide, on=KEYS, how="left"))
    return pl.concat(parts)


def duckdbs(lake: Lake) -> pl.DataFrame:
    files = sorted(str(path) for path in Path(lake.url, CORE_SESSIONS.name).glob("day=*/*.parquet"))
    with duckdb.connect() as connection:
        found = connection.sql(daily_aggregate(files)).pl()
    names = [f"startup_ms_p{100 * q:g}" for q in QUANTILES]
    lists = pl.col("quantiles").list
    return found.with_columns(lists.get(at).alias(name) for at, name in enumerate(names)).drop("quantiles")


def compare(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """Raise AssertionError unless sums agree to 1e-9 and quantiles, where there are enough sessions, to 1 %."""
    ordered = [frame.sort(KEYS) for frame in (one, other)]
    sums = [name for name in OUT_QOE_DAILY.columns if name not in {"dimension", "value"}]
    assert_frame_equal(*(frame.select(sums) for frame in ordered), check_dtypes=False, rel_tol=1e-9, abs_tol=0)
    for name in (f"startup_ms_p{100 * q:g}" for q in QUANTILES):
        estimated, exact = (frame[name] for frame in ordered)
        assert ((estimated - exact).abs() <= 0.01 * exact).all()


def _child(name: str, rows: int, folder: Path | None) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.qoe", "--run", name, "--rows", str(rows)]
    command += ["--folder", str(folder)] if folder else []
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _run(name: str, lake: Lake) -> dict[str, float]:
    began = time.perf_counter()
    {"ours": ours, "duckdb": duckdbs}[name](lake)
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak_kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return {"seconds": seconds, "peak_rss_mb": peak_kb / 1024}


def measure(rows: int, rounds: int, folder: Path | None) -> dict[str, float]:
    """Return medians of seconds, and our greatest peak memory."""
    lake = _lake(rows, folder)
    compare(ours(lake), duckdbs(lake))
    runs = [{name: _child(name, rows, folder) for name in ("ours", "duckdb")} for _ in range(rounds + 1)][1:]
    return {
        "seconds": round(median(run["ours"]["seconds"] for run in runs), 3),
        "duckdb_seconds": round(median(run["duckdb"]["seconds"] for run in runs), 3),
        "rows": rows,
        "peak_rss_mb": round(max(run["ours"]["peak_rss_mb"] for run in runs), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object of one size")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where sessions are kept; by default the temporary folder")
    parser.add_argument("--run", choices=["ours", "duckdb"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(_run(arguments.run, _lake(arguments.rows, arguments.folder))))  # noqa: T201
        return
    sizes = (arguments.rows,) if arguments.as_json else (FEWER, arguments.rows)
    for rows in sizes:
        found = measure(rows, arguments.rounds, arguments.folder)
        if arguments.as_json:
            print(json.dumps(found))  # noqa: T201
        else:
            print(  # noqa: T201
                f"{rows:>11,} sessions: {found['seconds']:.2f} s, DuckDB {found['duckdb_seconds']:.2f} s "
                f"({found['seconds'] / found['duckdb_seconds']:.2f} of it), peak memory {found['peak_rss_mb']:,.0f} MB"
            )


if __name__ == "__main__":
    main()
