"""How fast landing is beside its peers: `uv run python -m tests.benchmarks.landing`.

Peers: an upsert a request (FastAPI, asyncpg), and the endpoint's own route that does everything but store. They
alternate in short slices over many rounds, so that what else the machine does meets all of them; between two slices
Postgres writes out what the first one left. A session counts as landed once Postgres has it: the time until it has
followed belongs to the run. How load is made is in `landing_load`, how memory is watched in `landing_soak`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.landing_load import BATCH_CONNECTIONS, BATCH_LINES, CONNECTIONS, PATH, Load, drive, requests
from tests.benchmarks.landing_ours import UNSTORED
from tests.benchmarks.landing_peer import KEY
from tests.benchmarks.landing_peers import Ours, Server, running
from tests.benchmarks.landing_soak import soak

BATCH_ROUNDS = 2
WAYS = (
    "peer",
    "unstored",
    "ours",
    "ours, with following",
    "ours, sealed too",
    "half load",
    "batch",
    "batch, with following",
)


@dataclass
class Row:
    """One way of landing: of each slice the sessions a second, and all loads."""

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

    def __init__(self, ours: Ours, peer: Server, seconds: float, name: str) -> None:
        self.ours, self.peer, self.seconds, self.name = ours, peer, seconds, name
        self.rows = {way: Row() for way in WAYS}
        self.lags: list[float] = []
        self.stored = self.stored_by_peer = 0
        self._sends = 0

    def round(self) -> None:
        """Let each of them work once."""
        load = self._load(self.peer, PATH, KEY)
        self.stored_by_peer += load.stored
        self.rows["peer"].add(load, load.seconds)
        self._rest()
        load = self._load(self.ours, UNSTORED, self.ours.key)
        self.rows["unstored"].add(load, load.seconds)
        load = self._load(self.ours, PATH, self.ours.key)
        self._landed("ours", load)

    def batches(self) -> None:
        """Send batches, and see how fast Postgres follows."""
        sends = requests(f"{PATH}/batch", self.ours.key, self._next(), BATCH_LINES)
        load = drive(self.ours.port, sends, seconds=self.seconds, connections=BATCH_CONNECTIONS)
        self._landed("batch", load, BATCH_LINES)

    def half_load(self) -> None:
        """Send half of what was reached, evenly, and see how far Postgres is behind."""
        self.ours.lags()
        rate = median(self.rows["ours, with following"].rates) / 2
        load = self._load(self.ours, PATH, self.ours.key, rate)
        self._landed("half load", load)
        self.lags += self.ours.lags()

    def report(self, memory: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Seal, count, and return every figure."""
        lags = sorted(self.lags)
        raw = self.ours.seal()
        return {
            "rows": {way: row.summary() for way, row in self.rows.items() if row.rates},
            "ratio_to_peer": self._ratio("peer"),
            "ratio_to_unstored": self._ratio("unstored"),
            "follower_lag_p99_ms": round(lags[int(len(lags) * 0.99)] * 1000, 1) if lags else None,
            "memory": memory,
            "stored": {
                "answered_200": self.stored,
                "postgres": self.ours.rows(),
                "raw": raw,
                "peer_answered_200": self.stored_by_peer,
                "peer_postgres": self.peer.rows(),
            },
        }

    def _ratio(self, other: str) -> dict[str, float]:
        """Return median and quartiles over the rounds, whose slices stand next to each other in time."""
        pairs = zip(self.rows["ours, with following"].rates, self.rows[other].rates, strict=True)
        ratios = [reached / theirs for reached, theirs in pairs]
        low, middle, high = quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
        return {"median": round(middle, 2), "quartile_1": round(low, 2), "quartile_3": round(high, 2)}

    def _landed(self, way: str, load: Load, lines: int = 1) -> None:
        waited = self.ours.wait_followed()
        self.stored += load.stored * lines
        self.rows[way].add(load, load.seconds, lines)
        if (followed := self.rows.get(f"{way}, with following")) is not None:
            followed.add(load, load.seconds + waited, lines)
        sealing = self.ours.seconds_to_seal()
        if (sealed := self.rows.get(f"{way}, sealed too")) is not None:
            sealed.add(load, load.seconds + waited + sealing, lines)
        self._rest()

    def _rest(self) -> None:
        self.ours.database.execute("CHECKPOINT")

    def _load(self, server: Server, path: str, key: str, rate: float | None = None) -> Load:
        sends = requests(path, key, self._next())
        return drive(server.port, sends, seconds=self.seconds, connections=CONNECTIONS, rate=rate)

    def _next(self) -> str:
        self._sends += 1
        return f"{self.name}-{self._sends:04d}"


def run(seconds: float, rounds: int, soak_s: float) -> dict[str, Any]:
    """Measure everything; return the figures."""
    with running() as (ours, peer):
        warm = Benchmark(ours, peer, seconds, "warm")
        warm.round()
        benchmark = Benchmark(ours, peer, seconds, "load")
        benchmark.stored, benchmark.stored_by_peer = warm.stored, warm.stored_by_peer
        for number in range(rounds):
            benchmark.round()
            benchmark.half_load()
            if number < BATCH_ROUNDS:
                benchmark.batches()
        soaked = soak(ours, soak_s)
        benchmark.stored += soaked.stored
        return benchmark.report(soaked.memory)


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
    for other, key in (("the peer", "ratio_to_peer"), ("without storing", "ratio_to_unstored")):
        ratio = figures[key]
        spread = f"{ratio['quartile_1']}–{ratio['quartile_3']} in the middle half of the rounds"
        console.print(f"with following: {ratio['median']} × {other} ({spread})")
    console.print(f"follower lag p99 at half load: {figures['follower_lag_p99_ms']} ms")
    for part in figures["memory"]:
        sealing = "none" if part["sealing_mb"] is None else f"{part['sealing_mb']:.0f} MB"
        console.print(f"memory {part['when']}: endpoint {part['endpoint_mb']:.0f} MB, sealing process {sealing}")
    console.print(f"stored: {figures['stored']}")


def main() -> int:
    """Run as a command; 1 when a session that was answered 200 is not stored."""
    parser = argparse.ArgumentParser(description="Landing beside its peers")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each slice")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--soak", type=float, default=6.0, help="seconds of the soak")
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
