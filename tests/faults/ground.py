"""One round: an endpoint under load, and what must hold after a fault. The faults are in `tests.faults.scenarios`."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ingest.connections import HEAD_S
from tests.faults.endpoint import Endpoint
from tests.faults.senders import Senders
from tests.faults.verifying import verify
from warehouse.settings import StorageSettings

FORWARD = 50
"""Sessions that must be acknowledged after a fault before it counts as over."""

BACK_S = 60.0


@dataclass
class Outcome:
    """What a round came to; it held when there are no problems."""

    acknowledged: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    skipped: str = ""


@dataclass
class Ground:
    """Where a round happens. Rounds of one home add up: what an earlier one landed must still be there."""

    directory: Path
    random: Random
    outage_s: float = 10.0
    """How long Postgres is away."""
    slow_s: float = HEAD_S + 5
    """How long clients are slow: by default longer than the endpoint waits for a head."""
    spell_s: float = 1.5
    """Longest time between two kills."""
    connections: int = 2_000
    """How many make a flood."""
    clients: int = 16
    """How many send at once."""
    number: int = 0
    """Of the round."""
    landed: dict[Path, set[str]] = field(default_factory=dict)
    """Every session acknowledged so far, by home."""

    def storage(self, name: str = "home") -> StorageSettings:
        """Return the settings of a home of this ground, on the embedded Postgres."""
        home = self.directory / name
        return StorageSettings(home=home, lake_url=str(home / "lake"), pool_min=1)

    @property
    def log(self) -> Path:
        """Where the endpoint's log goes."""
        return self.directory / "endpoint.log"

    def spell(self) -> None:
        """Let the load go on for a random time."""
        time.sleep(self.random.uniform(0.05, self.spell_s))

    @contextmanager
    def load(
        self,
        storage: StorageSettings,
        *,
        workers: int = 1,
        refusals: frozenset[int] = frozenset(),
        log: Path | None = None,
    ) -> Iterator["Load"]:
        """Serve and send; at the end wait until it is healthy, verify, stop. `refusals` may be answered besides 200."""
        self.number += 1
        landed = self.landed.setdefault(storage.home, set())
        with Endpoint(storage, log or self.log, workers=workers) as endpoint:
            with Senders(endpoint.port, f"r{self.number}", count=self.clients) as senders:
                load = Load(endpoint, senders, Outcome())
                load.until_forward()
                yield load
                load.until_forward()
            landed.update(senders.acknowledged)
            load.close(storage, landed, refusals)


@dataclass
class Load:
    """A load in progress."""

    endpoint: Endpoint
    senders: Senders
    outcome: Outcome

    def until_forward(self) -> None:
        """Return when more sessions are acknowledged than before."""
        wanted = len(self.senders.acknowledged) + FORWARD
        if not wait(lambda: len(self.senders.acknowledged) >= wanted):
            self.outcome.problems.append(f"no sessions are taken any more ({dict(self.senders.statuses)})")

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note a problem unless something holds."""
        if not holds:
            self.outcome.problems.append(otherwise)

    def close(self, storage: StorageSettings, landed: set[str], refusals: frozenset[int]) -> None:
        """Judge the round."""
        outcome, senders = self.outcome, self.senders
        outcome.acknowledged += len(senders.acknowledged)
        outcome.statuses += senders.statuses
        self.expect(not senders.hung, f"{senders.hung} requests hung")
        odd = set(senders.statuses) - {200} - refusals
        self.expect(not odd, f"answered {sorted(odd)}")
        self.expect(wait(lambda: self.health() == []), f"does not become healthy: {self.health()}")
        found = str(verify(storage, landed))
        self.expect(not found, found)
        self.expect(self.endpoint.stop(), "does not stop cleanly")
        left = [path.name for path in storage.journal_dir.iterdir() if path.is_dir()]
        self.expect(not left, f"journal folders are left: {left}")

    def health(self) -> list[str]:
        """Return the reasons for which it is degraded."""
        return list(self.endpoint.client.get("/health").json().get("reasons", []))


def wait(condition: Callable[[], bool], seconds: float = BACK_S) -> bool:
    """Wait for a condition; tell whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
