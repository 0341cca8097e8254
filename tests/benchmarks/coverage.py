"""How often 95 % intervals hold the truth, by simulation: `uv run python -m tests.benchmarks.coverage [--json]`.

The truth is a population of sessions of the demo's viewers; samples are drawn from it with replacement, as counts, so
that 100,000 sessions cost no more than 100. What is summed and read is what the product sums and reads. Quantiles are
drawn from a known distribution of startup instead, since a population of a few thousand has few distinct values.
Intervals of comparisons are simulated in `tests.unit.test_false_alarms`.
"""

import argparse
import functools
import json
import math
import sys
from collections.abc import Mapping

import narwhals as nw
import numpy as np
import polars as pl

from tests.unit.demo_sessions import demo_core
from tests.unit.session_frames import DAY
from warehouse.datasets import OUT_QOE_DAILY
from warehouse.metrics import histogram, qoe, qoe_summary
from warehouse.metrics.registry import SUMMED

POPULATION = 2_000
MEDIAN_MS, SIGMA, LONGEST_MS = 900, 0.8, 60_000
QS = (0.5, 0.75, 0.95, 0.99)


@functools.cache
def population() -> pl.DataFrame:
    """The sums of OUT_QOE_DAILY of each single session: one row a session."""
    sent = demo_core(5, {}).filter(pl.col("play_ms").is_not_null() & pl.col("outcome").is_not_null())
    core = (
        sent.sort("ingest_id")
        .head(POPULATION)
        .with_row_index("at")
        .with_columns(content_id=pl.col("at").cast(pl.String), day=pl.lit(DAY))
    )
    atoms = qoe.aggregate(core.drop("at"), {})
    return atoms.sort(pl.col("content_id").cast(pl.Int64)).select(sums())


def sums() -> list[str]:
    return [name for name in OUT_QOE_DAILY.columns if name not in OUT_QOE_DAILY.key]


def of_sums(n: int, replicates: int, seed: int) -> dict[str, float]:
    """Return, for each metric read from sums, the share of samples of `n` sessions whose interval holds the truth."""
    atoms = population()
    truth = dict(qoe_summary.estimate(atoms, (), SUMMED).select("metric", "value").iter_rows())
    rng = np.random.default_rng([seed, n])
    weights = rng.multinomial(n, np.full(atoms.height, 1 / atoms.height), replicates)
    drawn = pl.DataFrame(weights @ atoms.cast(pl.Float64()).to_numpy(), schema=sums())
    found = qoe_summary.estimate(drawn.with_row_index("replicate"), ("replicate",), SUMMED)
    return _held(found, truth)


def of_quantiles(n: int, replicates: int, seed: int) -> dict[str, float]:
    """Return the same for quantiles of a lognormal startup in whole ms, drawn as counts of buckets."""
    values = np.arange(LONGEST_MS + 1)
    edges = (np.log(values + 0.5) - math.log(MEDIAN_MS)) / SIGMA
    below = np.array([0.5 * math.erfc(-edge / math.sqrt(2)) for edge in edges])
    share = np.diff(below, prepend=0.0) / below[-1]
    number = histogram.bucket(nw.col("v"))
    buckets = nw.from_native(pl.DataFrame({"v": values})).select(bucket=number).to_native()
    atoms = buckets.with_columns(p=share).group_by("bucket").sum().sort("bucket")
    drawn = np.random.default_rng([seed, n]).multinomial(n, atoms["p"].to_numpy(), replicates)
    counts = pl.DataFrame({
        "replicate": np.repeat(np.arange(replicates), atoms.height),
        "bucket": np.tile(atoms["bucket"].to_numpy(), replicates),
        "n": drawn.ravel(),
    }).filter(pl.col("n") > 0)  # fmt: skip
    found = histogram.estimate(counts, ("replicate",), "startup_ms", QS)
    return _held(found, {f"startup_ms_p{100 * q:g}": int(values[np.searchsorted(np.cumsum(share), q)]) for q in QS})


def _held(found: pl.DataFrame, truth: Mapping[str, float]) -> dict[str, float]:
    """Count samples that show a value; one that shows it without an interval has missed."""
    return {
        str(metric): rows.select(
            pl.lit(truth[str(metric)]).is_between("low", "high").fill_null(value=False).mean()
        ).item()
        for (metric,), rows in found.drop_nulls("value").group_by("metric", maintain_order=True)
    }


def main() -> None:
    """Print the coverage by metric and sample size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--replicates", type=int, default=10_000)
    arguments = parser.parse_args()
    sizes = (100, 200, 500, 1_000, 10_000, 100_000)
    found = {n: of_sums(n, arguments.replicates, 1) | of_quantiles(n, arguments.replicates, 1) for n in sizes}
    if arguments.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    lines = [f"{'n =':24}" + "".join(f"{n:>10,}" for n in sizes)]
    for metric in found[sizes[-1]]:
        shares = [found[n].get(metric) for n in sizes]
        lines.append(f"{metric:24}" + "".join(f"{'too few':>10}" if one is None else f"{one:10.1%}" for one in shares))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
