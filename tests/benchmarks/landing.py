"""How fast landing is beside its peers: `uv run python -m tests.benchmarks.landing`.

Peers: an upsert a request (FastAPI, asyncpg), and the endpoint's own route that does everything but store. They
alternate over rounds, so that what else the machine does meets all of them. A session counts as landed once Postgres
has it: the time until it has followed belongs to the run. How load is made is in `landing_load`.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.landing_load import Load, drive, requests
from tests.benchmarks.landing_ours import UNSTORED
from tests.benchmarks.landing_peer import KEY
from tests.benchmarks.landing_peers import Ours, Server, running

CONNECTIONS = 64
BATCH_CONNECTIONS = 4
BATCH_LINES = 2_000
PATH = "/v1/sessions"
SOAK_PART_S = 5.0


@dataclass
class Row:
    """One way of landing: of each round the sessions a second, and all loads."""

    rates: list[float] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)

    def add(self, load: Load, seconds: float, lines: int = 1) -> None:
        self.loads.append(load)
        self.rates.append(load.stored * lines / seconds)

    def summary(self) -> dict[str, float]:
        together = Load(latencies=[latency for load in self.loads for latency in load.latencies])
        return {
            "per_second": round(median(self.rates), 1),
            **{f"p{q * 100:g}_ms": round(together.latency_ms(q), 2) for q in (0.5, 0.99, 0.999)},
            "other_answers": sum(n for load in self.loads for status, n in load.statuses.items() if status != 200),
        }


class Benchmark:
    """One run; `stored` counts the 200s of the endpoint, in sessions."""

    def __init__(self, ours: Ours, peer: Server, seconds: float) -> None:
        self.ours, self.peer, self.seconds = ours, peer, seconds
        self.rows = {name: Row() for name in ("peer", "unstored", "ours", "ours, with following", "batch", "half load")}
        self.follow_rates: list[float] = []
        self.batch_follow_rates: list[float] = []
        self.lags: list[float] = []
        self.stored = self.stored_by_peer = 0
        self._sends = 0

    def round(self) -> None:
        """Let each of them work once."""
        load = self._load(self.peer, PATH, KEY)
        self.stored_by_peer += load.stored
        self.rows["peer"].add(load, load.seconds)
        load = self._load(self.ours, UNSTORED, self.ours.key)
        self.rows["unstored"].add(load, load.seconds)
        load = self._load(self.ours, PATH, self.ours.key)
        waited = self.ours.wait_followed()
        self.stored += load.stored
        self.rows["ours"].add(load, load.seconds)
        self.rows["ours, with following"].add(load, load.seconds + waited)

    def batches(self) -> None:
        """Send batches, and see how fast Postgres follows."""
        name = self._name()
        sends = requests(f"{PATH}/batch", self.ours.key, name, BATCH_LINES)
        load = drive(self.ours.port, sends, seconds=self.seconds, connections=BATCH_CONNECTIONS)
        waited = self.ours.wait_followed()
        sessions = load.stored * BATCH_LINES
        self.stored += sessions
        self.rows["batch"].add(load, load.seconds, BATCH_LINES)
        self.batch_follow_rates.append(sessions / (load.seconds + waited))
        self.ours.seal()  # else it would go on while the peer is measured

    def half_load(self) -> None:
        """Send half of what was reached, evenly, and see how far Postgres is behind."""
        self.ours.lags()
        rate = median(self.rows["ours, with following"].rates) / 2
        load = self._load(self.ours, PATH, self.ours.key, rate)
        self.ours.wait_followed()
        self.stored += load.stored
        self.rows["half load"].add(load, load.seconds)
        self.lags += self.ours.lags()

    def soak(self, seconds: float) -> list[float]:
        """Land at full load for a while and seal; return the resident memory (MB) before, and after each part."""
        memory = [self.ours.rss_mb()]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            load = drive(
                self.ours.port,
                requests(PATH, self.ours.key, self._name()),
                seconds=SOAK_PART_S,
                connections=CONNECTIONS,
            )
            self.stored += load.stored
            self.ours.seal()
            memory.append(self.ours.rss_mb())
        return memory

    def report(self, memory: Sequence[float]) -> dict[str, Any]:
        """Seal, count, and return every figure."""
        rows = {name: row.summary() for name, row in self.rows.items() if row.rates}
        lags = sorted(self.lags)
        raw = self.ours.seal()
        return {
            "rows": rows,
            "ratio_to_peer": self._ratio("peer"),
            "ratio_to_unstored": self._ratio("unstored"),
            "follower_lag_p99_ms": round(lags[int(len(lags) * 0.99)] * 1000, 1) if lags else None,
            "batch_followed_per_second": round(median(self.batch_follow_rates), 1),
            "rss_mb": [round(part, 1) for part in memory],
            "stored": {
                "answered_200": self.stored,
                "postgres": self.ours.rows(),
                "raw": raw,
                "peer_answered_200": self.stored_by_peer,
                "peer_postgres": self.peer.rows(),
            },
        }

    def _ratio(self, other: str) -> float:
        """Return the median over the rounds, whose loads stand next to each other in time."""
        pairs = zip(self.rows["ours, with following"].rates, self.rows[other].rates, strict=True)
        return round(median(reached / theirs for reached, theirs in pairs), 2)

    def _load(self, server: Server, path: str, key: str, rate: float | None = None) -> Load:
        sends = requests(path, key, self._name())
        return drive(server.port, sends, seconds=self.seconds, connections=CONNECTIONS, rate=rate)

    def _name(self) -> str:
        self._sends += 1
        return f"{self._sends:04d}"


def run(seconds: float, rounds: int, soak: float) -> dict[str, Any]:
    """Measure everything; return the figures."""
    with running() as (ours, peer):
        warm = Benchmark(ours, peer, min(seconds, 1.0))
        warm.round()
        benchmark = Benchmark(ours, peer, seconds)
        benchmark.stored, benchmark.stored_by_peer = warm.stored, warm.stored_by_peer
        benchmark._sends = 1000
        for _ in range(rounds):
            benchmark.round()
            benchmark.half_load()
            benchmark.batches()
        ours.seal()
        return benchmark.report(benchmark.soak(soak))


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as one table, and what they come to."""
    table = Table("way", "sessions/s", "p50 ms", "p99 ms", "p99.9 ms", "not 200", title=f"{CONNECTIONS} connections")
    for name, row in figures["rows"].items():
        table.add_row(
            name,
            f"{row['per_second']:,.0f}",
            *(f"{row[k]:,.1f}" for k in ("p50_ms", "p99_ms", "p99.9_ms")),
            f"{row['other_answers']:,.0f}",
        )
    console.print(table)
    console.print(f"{figures['ratio_to_peer']} × the peer, {figures['ratio_to_unstored']} × without storing")
    console.print(f"follower lag p99 at half load: {figures['follower_lag_p99_ms']} ms")
    console.print(f"batches followed by Postgres: {figures['batch_followed_per_second']:,.0f} sessions/s")
    console.print(f"resident memory before and during the soak: {figures['rss_mb']} MB")
    console.print(f"stored: {figures['stored']}")


def main() -> int:
    """Run as a command; 1 when a session that was answered 200 is not stored."""
    parser = argparse.ArgumentParser(description="Landing beside its peers")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float, default=20.0, help="seconds of the soak")
    options = parser.parse_args()
    figures = run(options.seconds, options.rounds, options.soak)
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        show(figures, Console())
    stored = figures["stored"]
    kept = stored["answered_200"] == stored["postgres"] == stored["raw"]
    return 0 if kept and stored["peer_answered_200"] == stored["peer_postgres"] else 1


if __name__ == "__main__":
    sys.exit(main())
