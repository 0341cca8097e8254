"""How long `playhead refresh` takes: `uv run python -m tests.benchmarks.refresh`.

The population's sessions of ten days are loaded and refreshed, but for a sample of them that is loaded afterwards and
refreshed again. Commands run as a user runs them, each a process of its own, in a home that is removed at the end.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lab.population import SESSIONS_PER_VIEWER_DAY, Population

DAYS = 10
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def measure(fresh: int, late: int) -> dict[str, float]:
    """Return the sessions and seconds of both refreshes."""
    bodies = _bodies(fresh + late)
    held_back = set(np.random.default_rng(7).choice(len(bodies), late, replace=False).tolist())
    with tempfile.TemporaryDirectory(prefix="playhead-") as folder:
        home = Path(folder)
        parts = {
            "fresh": [body for number, body in enumerate(bodies) if number not in held_back],
            "late": [bodies[number] for number in sorted(held_back)],
        }
        result: dict[str, float] = {}
        for name, part in parts.items():
            path = home / f"{name}.ndjson"
            path.write_text("".join(json.dumps(body) + "\n" for body in part), encoding="utf-8")
            result[f"{name}_sessions"] = len(part)
            result[f"{name}_load_seconds"] = _command(home, "load", str(path))
            result[f"{name}_seconds"] = _command(home, "refresh")
    return result


def _bodies(count: int) -> Sequence[dict[str, Any]]:
    viewers = round(count / DAYS / SESSIONS_PER_VIEWER_DAY * 1.05)
    return list(Population(seed=7, end=NOW, days=DAYS, viewers=viewers).sessions())[:count]


def _command(home: Path, *arguments: str) -> float:
    environ = os.environ | {"PLAYHEAD_HOME": str(home / "home"), "PLAYHEAD_NOW": NOW.isoformat()}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "playhead", *arguments], env=environ, check=True, stdout=subprocess.DEVNULL)
    return round(time.perf_counter() - began, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", type=int, default=300_000, help="sessions over ten days")
    parser.add_argument("--late", type=int, default=1_000, help="of the same days, loaded afterwards")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")
    arguments = parser.parse_args()
    result = measure(arguments.fresh, arguments.late)
    if arguments.as_json:
        print(json.dumps(result))  # noqa: T201
        return
    for name in ("fresh", "late"):
        print(  # noqa: T201
            f"{result[f'{name}_sessions']:>9,.0f} {name} sessions: loaded in {result[f'{name}_load_seconds']:.1f} s, "
            f"refreshed in {result[f'{name}_seconds']:.1f} s"
        )


if __name__ == "__main__":
    main()
