"""Planted incidents found, and false alarms raised: `python -m tests.benchmarks.incidents [--seeds N] [--json]`.

Each seed is six weeks of 12,000 sessions a day with six incidents: failures times 4 to 10, stalls times 2.5 to 7,
startup times 1.7 to 3.5, for 3 to 30 hours, everywhere or in one device, network, country, CDN, release or title. An
incident is found by an alarm of its metric that overlaps it; whatever else rings, a second alarm for the same incident
included, is false. What is drawn is in `planted`, the simple rule beside it in `naive_alarms`.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from tests.benchmarks import planted
from tests.benchmarks.naive_alarms import Alarm, naive_alarms
from tests.benchmarks.planted import DAYS, DIMENSIONS, START, Planted
from warehouse.metrics import incidents, root_causes
from warehouse.metrics.incident_groups import distinct
from warehouse.metrics.incident_rules import Thresholds

WEEKS = (DAYS - Thresholds().history_days) / 7
"""Weeks of a seed in which an alarm can ring."""
_END = datetime.combine(START, datetime.min.time(), UTC) + timedelta(days=DAYS)


@dataclass(frozen=True)
class Trial:
    """What came of one seed."""

    planted: int
    found: int
    false: int
    delays_h: Sequence[float]
    causes: Sequence[bool]
    """For each incident found, whether the first cause is the planted one, or none where it was everywhere."""
    naive_found: int
    naive_false: int


def trial(seed: int, sessions_a_day: int = planted.SESSIONS_A_DAY) -> Trial:
    """Draw the sessions of a seed, and find incidents in their hourly sums."""
    troubles = planted.plant(np.random.default_rng([seed, 1]))
    core = planted.draw(seed, troubles, sessions_a_day=sessions_a_day)
    out = planted.hourly(core)
    rules = Thresholds()
    alarms = distinct(incidents.detect(out, "hour", rules), core, _END, rise=rules.rise).to_dicts()
    spans = [(row["metric"], row["started_at"], row["ended_at"] or _END) for row in alarms]
    hits = {number: _hits(trouble, spans) for number, trouble in enumerate(troubles)}
    first = {number: alarms[indices[0]] for number, indices in hits.items() if indices}
    naive = naive_alarms(out, rules.cohort)
    naive_hits = [_hits(trouble, naive) for trouble in troubles]
    return Trial(
        planted=len(troubles),
        found=len(first),
        false=len(alarms) - len(first),
        delays_h=[(row["detected_at"] - troubles[number].first) / timedelta(hours=1) for number, row in first.items()],
        causes=[_explained(core, row, troubles[number]) for number, row in first.items()],
        naive_found=sum(bool(indices) for indices in naive_hits),
        naive_false=len(naive) - len({index for indices in naive_hits for index in indices}),
    )


def _hits(trouble: Planted, alarms: Sequence[Alarm]) -> list[int]:
    return [
        index
        for index, (metric, first, last) in enumerate(alarms)
        if metric == trouble.metric and first < trouble.last and trouble.first < last
    ]


def _explained(core: pl.DataFrame, row: dict[str, Any], trouble: Planted) -> bool:
    causes = root_causes.rank(core, row, tuple(DIMENSIONS), _END).filter(pl.col("p_value") < root_causes.SURE)
    if trouble.dimension is None:
        return causes.is_empty()
    return causes.select("dimension", "value").rows()[:1] == [(trouble.dimension, trouble.value)]


def summary(trials: Iterable[Trial]) -> dict[str, float]:
    """Return the figures over all trials."""
    done = list(trials)
    total, weeks = sum(one.planted for one in done), WEEKS * len(done)
    delays = [delay for one in done for delay in one.delays_h]
    causes = [right for one in done for right in one.causes]
    return {
        "seeds": len(done),
        "planted": total,
        "recall": sum(one.found for one in done) / total,
        "false_alarms_a_week": sum(one.false for one in done) / weeks,
        "median_delay_h": statistics.median(delays),
        "root_cause_top1": sum(causes) / len(causes),
        "naive_recall": sum(one.naive_found for one in done) / total,
        "naive_false_alarms_a_week": sum(one.naive_false for one in done) / weeks,
    }


def main() -> None:
    """Run the trials on two processes and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given = parser.parse_args()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        figures = summary(pool.map(trial, range(given.seeds)))
    if given.json:
        sys.stdout.write(json.dumps({name: round(value, 4) for name, value in figures.items()}) + "\n")
        return
    table = Table("figure", "value")
    for name, value in figures.items():
        table.add_row(name, f"{value:g}" if value == int(value) else f"{value:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
