"""Seeded chat streams with planted bursts, the rules that look for them, and how a rule is scored.

A stream is messages a second over two hours: a rate that drifts, negative-binomial noise, and bursts of 30 s at three
times the rate. What is printed of them is in `moments`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from warehouse.metrics.baseline import Rule, Track, step
from warehouse.metrics.live_bins import BIN_S, Bin
from warehouse.metrics.moments import StreamState, advance

HOURS = 2
BURSTS = 4
BURST_S = 30
FACTOR = 3.0
APART_S = 300
"""Bursts keep this distance from each other and from the ends of the stream."""
LATE_S = 60
"""A moment counts as found until so long after its end."""


@dataclass(frozen=True)
class Noise:
    """Negative-binomial counts of `size`: a gamma factor of that shape on the rate, drawn anew every `held_s`."""

    held_s: int
    size: float

    def __str__(self) -> str:
        return f"size {self.size:g}, each {self.held_s} s"


NOISES = (Noise(1, 10), Noise(1, 2), Noise(10, 10), Noise(30, 20))
"""From mild to hard; in the last one the counts of 30 s alone vary by 22 %."""


@dataclass(frozen=True)
class Stream:
    """Messages of each second, and the seconds at which bursts begin."""

    counts: NDArray[np.int64]
    starts: tuple[int, ...]


def draw(seed: int, rate: float, noise: Noise, bursts: int = BURSTS) -> Stream:
    """Draw a stream of `rate` messages a second."""
    random = np.random.default_rng([seed, int(rate * 1000), noise.held_s, int(noise.size * 1000)])
    seconds = HOURS * 3600
    at = np.arange(seconds)
    swing = 0.3 * np.sin(2 * math.pi * at / 2700 + random.uniform(0, 2 * math.pi))
    drift = np.cumsum(random.normal(0, 0.002, seconds))
    expected = rate * np.exp(swing + drift)
    starts = _starts(random, seconds, bursts)
    for start in starts:
        expected[start : start + BURST_S] *= FACTOR
    factors = random.gamma(noise.size, 1 / noise.size, math.ceil(seconds / noise.held_s))
    return Stream(random.poisson(expected * np.repeat(factors, noise.held_s)[:seconds]), starts)


def _starts(random: np.random.Generator, seconds: int, bursts: int) -> tuple[int, ...]:
    while True:
        starts = sorted(int(start) for start in random.integers(APART_S, seconds - APART_S, bursts))
        if all(after - before >= APART_S for before, after in pairwise(starts)):
            return tuple(starts)


def ours(counts: NDArray[np.int64]) -> list[int]:
    """Return the seconds at which `warehouse.metrics.moments` finds chat spikes."""
    bins = [Bin(number * BIN_S, int(count)) for number, count in enumerate(binned(counts, BIN_S)) if count]
    _, moments, _ = advance(StreamState(), bins)
    return [moment.at_s for moment in moments if moment.moment_type == "chat_spike"]


def coarse(counts: NDArray[np.int64]) -> list[int]:
    """Return what the same baseline finds on bins of 30 s, wherever bursts begin."""
    rule = Rule(1, 3.0, sd_floor=0.5, mean_memory_s=300.0)
    track, found = Track(), []
    for number, count in enumerate(binned(counts, BURST_S)):
        track, score = step(track, math.sqrt(count), rule, BURST_S)
        if score is not None and score.opens:
            found.append((number + 1) * BURST_S)
    return found


def telemetra(counts: NDArray[np.int64]) -> list[int]:
    """Return what a z-score above 3 finds on minutes, over 11 rows that include the one that is judged."""
    minutes = binned(counts, 60)
    found = []
    for last in range(10, len(minutes)):
        rows = minutes[last - 10 : last + 1]
        if rows.std() > 0 and (minutes[last] - rows.mean()) / rows.std() > 3:
            found.append((last + 1) * 60)
    return found


RULES: dict[str, Callable[[NDArray[np.int64]], list[int]]] = {
    "Playhead": ours,
    "EWMA on 30 s": coarse,
    "Telemetra": telemetra,
}


@dataclass
class Outcome:
    """How often a rule was right."""

    planted: int = 0
    found: int = 0
    false_alarms: int = 0
    hours: float = 0.0

    @property
    def recall(self) -> float:
        """Share of bursts found."""
        return self.found / self.planted

    @property
    def false_alarms_per_hour(self) -> float:
        """Moments that belong to no burst, or tell of one again."""
        return self.false_alarms / self.hours

    def add(self, alarms: Sequence[int], starts: Sequence[int]) -> None:
        """Count the alarms of one stream: the first from a burst's start to `LATE_S` after its end finds it."""
        used = set()
        for start in starts:
            within = [a for a in alarms if a not in used and start <= a <= start + BURST_S + LATE_S]
            used.update(within[:1])
        self.planted += len(starts)
        self.found += len(used)
        self.false_alarms += len(alarms) - len(used)
        self.hours += HOURS


def binned(counts: NDArray[np.int64], seconds: int) -> NDArray[np.int64]:
    """Return the messages of each span of so many seconds; what is left at the end is cut."""
    return counts[: len(counts) // seconds * seconds].reshape(-1, seconds).sum(axis=1)
