"""Runs the faults: `--rounds` of kill −9 in turn, then every other fault once; prints a table; exits 1 on any loss."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from tests.faults.endpoint import NotStartedError
from tests.faults.ground import Ground, Outcome
from tests.faults.scenarios import KILLING, OTHERS, Scenario

NAMES = {scenario.__name__: scenario for scenario in (*KILLING, *OTHERS)}
COLUMNS = ("round", "fault", "acknowledged", "answers", "seconds", "verdict")


def plan(rounds: int, only: str | None) -> list[Scenario]:
    """Return the faults in order."""
    if only is not None:
        return [NAMES[only]] * rounds
    return [KILLING[number % len(KILLING)] for number in range(rounds)] + list(OTHERS)


def run(scenarios: Sequence[Scenario], ground: Ground, console: Console) -> bool:
    """Run them one after the other; print the table; tell whether all held."""
    table = Table(*COLUMNS)
    held = True
    for number, scenario in enumerate(scenarios, 1):
        started = time.monotonic()
        try:
            outcome = scenario(ground)
        except (NotStartedError, TimeoutError) as failure:
            outcome = Outcome(problems=[str(failure)])
        seconds = f"{time.monotonic() - started:.1f}"
        answers = " ".join(f"{status or 'lost'}: {count}" for status, count in sorted(outcome.statuses.items()))
        verdict = _verdict(outcome)
        held = held and not outcome.problems
        console.print(f"{number}/{len(scenarios)} {scenario.__name__}: {verdict} ({seconds} s)")
        table.add_row(str(number), scenario.__name__, str(outcome.acknowledged), answers, seconds, verdict)
    console.print(table)
    return held


def _verdict(outcome: Outcome) -> str:
    if outcome.skipped:
        return f"skipped: {outcome.skipped}"
    return "; ".join(outcome.problems) or "held"


def main() -> int:
    """Parse, run, and keep the folder where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of kill -9, or of --only")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", choices=sorted(NAMES))
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else int(time.time())
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # ends what was started and mounted
    console = Console(width=160)
    console.print(f"seed {seed}")
    directory = Path(tempfile.mkdtemp(prefix="playhead-faults-"))
    ground = Ground(directory, Random(seed))
    if run(plan(arguments.rounds, arguments.only), ground, console):
        shutil.rmtree(directory)
        return 0
    console.print(f"The endpoint's log and its state are kept in {directory}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
