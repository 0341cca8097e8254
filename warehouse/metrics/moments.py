"""Moments of a live stream: chat_spike, viewer_spike and sentiment_shift, each with threshold, score and evidence.

`advance` goes from bin to bin and hands on its state, so that the live path and the assets are the same computation.
Whole frames become rows in `moment_rows`. How a value is judged is in `baseline`, what a bin is in `live_bins`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from warehouse.metrics.baseline import Rule, Score, Track, step
from warehouse.metrics.live_bins import BIN_S, Bin

RULES: Mapping[str, Rule] = {
    "chat_spike": Rule(6, 4.0, sd_floor=0.5, mean_memory_s=120.0, min_ratio=math.sqrt(1.6), min_value=math.sqrt(10)),
    "viewer_spike": Rule(6, 4.0, sd_floor=0.5, mean_memory_s=300.0, min_ratio=math.sqrt(1.25), min_value=math.sqrt(20)),
    "sentiment_shift": Rule(12, 4.0, sd_floor=0.05, mean_memory_s=600.0, min_shift=0.3, both_ways=True),
}
"""Chat and viewers are judged as square roots, which makes the noise of a count alike at every level (a Poisson
count's root has a standard deviation of 0.5); a spike is 1.6 times the usual messages, 1.25 times the usual viewers.
Sentiment is a mean from -1 to 1."""

MIN_SENTIMENT_N = 15
"""Messages with any sentiment that a window needs for a mean."""
MAX_SILENCE_S = 1_800
"""After so long without anything, what was usual before says nothing: the stream begins anew."""

_METRICS = {"chat_spike": "chat_rate", "viewer_spike": "viewer_count", "sentiment_shift": "avg_sentiment"}
_SPAN = max(rule.window_bins for rule in RULES.values())


@dataclass(frozen=True, slots=True)
class StreamState:
    """What is known of a stream after its newest bin: a value, to be kept and handed on as it is."""

    next_s: int | None = None
    """Epoch seconds at which the next bin begins."""
    recent: tuple[Bin, ...] = ()
    tracks: Mapping[str, Track] = field(default_factory=lambda: {name: Track() for name in RULES})


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment; the fields of `OUT_MOMENTS` that detection knows. `at_s` is the end of the window, epoch seconds."""

    at_s: int
    moment_type: str
    metric_name: str
    metric_value: float
    threshold: float
    z_score: float
    evidence: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ChatScore:
    """How the chat window that ends at `at_s` stands: its score, and whether it is over the threshold."""

    at_s: int
    z_score: float
    over: bool


def advance(state: StreamState, bins: Iterable[Bin]) -> tuple[StreamState, list[Moment], list[ChatScore]]:
    """Take the next bins of one stream, in order; return the new state, the moments that began, the chat scores.

    Bins that are left out were empty. However the bins are cut into calls, the result is the same. Raises ValueError
    for a bin that lies before the newest.
    """
    moments: list[Moment] = []
    scores: list[ChatScore] = []
    for item in bins:
        if state.next_s is not None and item.at_s < state.next_s:
            raise ValueError("a bin lies before the newest")
        if state.next_s is None or item.at_s - state.next_s > MAX_SILENCE_S:
            state = StreamState()
        else:
            for at_s in range(state.next_s, item.at_s, BIN_S):
                state = _take(state, Bin(at_s), moments, scores)
        state = _take(state, item, moments, scores)
    return state, moments, scores


def _take(state: StreamState, item: Bin, moments: list[Moment], scores: list[ChatScore]) -> StreamState:
    recent = (*state.recent, item)[-_SPAN:]
    end_s = item.at_s + BIN_S
    tracks: dict[str, Track] = {}
    for name, rule in RULES.items():
        window = recent[-rule.window_bins :]
        value = _value(name, window) if len(window) == rule.window_bins else None
        tracks[name], score = step(state.tracks[name], value, rule, BIN_S)
        if score is not None and name == "chat_spike":
            scores.append(ChatScore(end_s, score.z, score.over))
        if score is not None and score.opens:
            moments.append(_moment(name, score, window, end_s))
    return StreamState(end_s, recent, tracks)


def _value(name: str, window: tuple[Bin, ...]) -> float | None:
    """Return what a rule judges: the root of messages, the root of mean viewers, mean sentiment; None if unknown."""
    if name == "chat_spike":
        return math.sqrt(sum(item.chat_count for item in window))
    if name == "viewer_spike":
        n = sum(item.viewer_n for item in window)
        return math.sqrt(sum(item.viewer_sum for item in window) / n) if n else None
    n = sum(item.sentiment_n for item in window)
    return sum(item.sentiment_sum for item in window) / n if n >= MIN_SENTIMENT_N else None


def _moment(name: str, score: Score, window: tuple[Bin, ...], end_s: int) -> Moment:
    def unit(value: float) -> float:
        if name == "sentiment_shift":
            return value
        return value * value / (len(window) * BIN_S if name == "chat_spike" else 1)

    evidence = {
        "window_start_ms": window[0].at_s * 1000,
        "window_end_ms": end_s * 1000,
        "baseline": round(unit(score.mean), 4),
        "messages": sum(item.chat_count for item in window),
        "messages_with_sentiment": sum(item.sentiment_n for item in window),
        "viewer_samples": sum(item.viewer_n for item in window),
    }
    return Moment(end_s, name, _METRICS[name], unit(score.value), unit(score.bound), score.z, evidence)
