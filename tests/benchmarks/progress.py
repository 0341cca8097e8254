"""How the latency of `GET /progress` grows with history: two users, one with a hundred times the items of the other.

`uv run python -m tests.benchmarks.progress` imports both histories, asks for either in turn over HTTP, and fails where
the median of the larger one is more than three times that of the smaller one. Not part of the test suite.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from tests.integration.tracker import ALICE, BOB, NOW, tracking
from warehouse.postgres import Database, embedded, open_database
from warehouse.settings import StorageSettings
from warehouse.watches import watching

ITEMS = {ALICE: 1_000, BOB: 100_000}
DAYS = 3 * 365
TITLES = 200
ROUNDS = 200
MOST = 3.0
BODY = 10_000


def history(items: int) -> Iterator[list[dict[str, Any]]]:
    """Yield bodies of watches: evenly over three years, of two kinds, over up to two hundred titles of each."""
    step = timedelta(days=DAYS) / items
    watches = [
        {
            "kind": ("youtube", "episode")[number % 2],
            "item": f"item {number}",
            "folder": f"show {number // 2 % TITLES}" if number % 2 else None,
            "title_id": None if number % 2 else f"UC{number // 2 % TITLES}",
            "title": None if number % 2 else f"Channel {number // 2 % TITLES}",
            "watched_at": (NOW - step * number).isoformat(),
            "duration_s": 600 + number % 900,
        }
        for number in range(items)
    ]
    for first in range(0, items, BODY):
        yield watches[first : first + BODY]


def fill(database: Database, user_id: str, items: int) -> float:
    """Import a history; return the seconds that it took."""
    started = time.perf_counter()
    with database.connect() as connection:
        for watches in history(items):
            watching.land(
                connection,
                tenant="default",
                user_id=user_id,
                route="takeout",
                body=msgspec.json.encode({"watches": watches}),
                now=NOW,
                default_zone="Pacific/Auckland",
            )
    return time.perf_counter() - started


def main() -> int:
    """Measure, print, and tell by the exit code whether the bound holds."""
    with tempfile.TemporaryDirectory(prefix="playhead-") as folder:
        home = Path(folder) / "home"
        with embedded.running(home) as url:
            storage = StorageSettings(home=home, lake_url=str(home / "lake"), database_url=url)
            with open_database(storage) as database, tracking(storage) as client:
                for (name, _), items in ITEMS.items():
                    print(f"{items:>7} items imported in {fill(database, name, items):.1f} s")  # noqa: T201
                taken: dict[str, list[float]] = {name: [] for name, _ in ITEMS}
                for _ in range(ROUNDS):
                    for auth in ITEMS:
                        started = time.perf_counter()
                        client.get("/progress", auth=auth).raise_for_status()
                        taken[auth[0]].append(time.perf_counter() - started)
    medians = [statistics.median(taken[name]) * 1000 for name, _ in ITEMS]
    for (_, items), median in zip(ITEMS.items(), medians, strict=True):
        print(f"{items:>7} items: median {median:.2f} ms of {ROUNDS}")  # noqa: T201
    print(f"ratio {medians[1] / medians[0]:.2f}, at most {MOST}")  # noqa: T201
    return 0 if medians[1] <= MOST * medians[0] else 1


if __name__ == "__main__":
    sys.exit(main())
