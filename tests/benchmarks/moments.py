"""How well moments are found beside Telemetra's own rule: `uv run python -m tests.benchmarks.moments [--json]`.

Seeded two-hour streams at 5 and 20 messages a second; what they hold and how a rule is scored is in `moment_streams`.
"""

import argparse
import json
from collections import defaultdict

from rich.console import Console
from rich.table import Table

from tests.benchmarks.moment_streams import NOISES, RULES, Outcome, draw

RATES = (5, 20)
STREAMS = 60


def run(streams: int) -> dict[tuple[str, float, str], Outcome]:
    """Score every rule on `streams` streams of each noise and rate."""
    outcomes: dict[tuple[str, float, str], Outcome] = defaultdict(Outcome)
    for noise in NOISES:
        for rate in RATES:
            for seed in range(streams):
                stream = draw(seed, rate, noise)
                for name, find in RULES.items():
                    outcomes[str(noise), rate, name].add(find(stream.counts), stream.starts)
    return outcomes


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=STREAMS, help="streams of each noise and rate")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    outcomes = run(arguments.streams)
    if arguments.json:
        rows = [
            {
                "noise": noise,
                "messages_per_s": rate,
                "rule": name,
                "bursts": outcome.planted,
                "recall": round(outcome.recall, 4),
                "false_alarms_per_hour": round(outcome.false_alarms_per_hour, 4),
            }
            for (noise, rate, name), outcome in outcomes.items()
        ]
        print(json.dumps({"streams": arguments.streams, "rows": rows}, indent=1))  # noqa: T201
        return
    table = Table("Noise", "Messages/s", *RULES, title="Bursts found, and false alarms an hour")
    for noise, rate in dict.fromkeys((noise, rate) for noise, rate, _ in outcomes):
        scored = [outcomes[noise, rate, name] for name in RULES]
        cells = [f"{outcome.recall:.1%}  {outcome.false_alarms_per_hour:.2f}" for outcome in scored]
        table.add_row(noise, f"{rate:g}", *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
