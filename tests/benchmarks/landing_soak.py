"""The soak of the landing benchmark: memory of the endpoint and its sealing process under sessions, then batches.

How load is made is in `landing_load`, where it is shown in `landing`.
"""

import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from ingest.sealing_process import IDLE_S
from tests.benchmarks.landing_load import BATCH_CONNECTIONS, BATCH_LINES, CONNECTIONS, PATH, drive, requests
from tests.benchmarks.landing_peers import Ours

PART_S = 1.0


@dataclass
class Soaked:
    """Sessions that were answered 200, and the memory in MB after each part."""

    stored: int = 0
    memory: list[dict[str, Any]] = field(default_factory=list)

    def look(self, when: str, ours: Ours) -> None:
        """Note the memory now."""
        self.memory.append({"when": when, "endpoint_mb": ours.rss_mb(), "sealing_mb": ours.sealing_rss_mb()})


def soak(ours: Ours, seconds: float) -> Soaked:
    """Alternate sessions and batches at full load, sealing after each, and look at the memory until it is idle."""
    soaked = Soaked()
    soaked.look("before", ours)
    end = time.monotonic() + seconds
    numbers = count()
    while time.monotonic() < end:
        for what in ("sessions", "batches"):
            soaked.stored += _land(ours, f"soak-{next(numbers):04d}", batches=what == "batches")
            ours.wait_followed()
            ours.seal()
            soaked.look(f"after {what}", ours)
    time.sleep(IDLE_S + 1)
    soaked.look("idle", ours)
    return soaked


def _land(ours: Ours, name: str, *, batches: bool) -> int:
    lines = BATCH_LINES if batches else None
    sends = requests(f"{PATH}/batch" if batches else PATH, ours.key, name, lines)
    connections = BATCH_CONNECTIONS if batches else CONNECTIONS
    return drive(ours.port, sends, seconds=PART_S, connections=connections).stored * (lines or 1)
