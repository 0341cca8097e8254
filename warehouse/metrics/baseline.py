"""What is usual for a value, and when it is not: a lagged, winsorised, exponentially weighted mean and variance.

A window never enters the baseline that it is judged by: values wait until a whole window has passed (*lagged*), and
what is far out enters only up to a few standard deviations (*winsorised*), so that a burst neither hides itself nor
the next one. What the values are is in `moments`.
"""

import math
from dataclasses import dataclass

WINSOR_SD = 3.0
"""Standard deviations beyond which a value enters the baseline as if it were there."""
FREE_BINS = 4
"""Values that enter as they are, for the deviation of so few says nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a value is out of the usual.

    `threshold_z` standard deviations, of at least `sd_floor`; besides, a rise to `min_ratio` times the baseline, a
    distance of `min_shift` and a value of `min_value`, all in the unit of the value. `both_ways` also takes falls.
    A crossing is one until the value has stayed within bounds for `rearm_s`.
    """

    window_bins: int
    threshold_z: float
    sd_floor: float
    mean_memory_s: float
    variance_memory_s: float = 2_400.0
    warmup_s: float = 120.0
    rearm_s: float = 60.0
    min_ratio: float = 0.0
    min_shift: float = 0.0
    min_value: float = -math.inf
    both_ways: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How a value stands to its baseline: standard deviations, the bound that counts, and what follows of it."""

    value: float
    mean: float
    sd: float
    z: float
    bound: float
    over: bool
    opens: bool
    """The first crossing of its kind: a moment."""


@dataclass(frozen=True, slots=True)
class Track:
    """What a rule has seen so far: a value, to be kept and handed on as it is."""

    mean: float = 0.0
    variance: float = 0.0
    n: int = 0
    waiting: tuple[float | None, ...] = ()
    open: bool = False
    calm_bins: int = 0


def step(track: Track, value: float | None, rule: Rule, bin_s: float) -> tuple[Track, Score | None]:
    """Judge the value of the window that ends now, None where it is unknown; return the new track and the score.

    To be called once a bin of `bin_s` seconds, in order. The score is None while the value is unknown or the baseline
    has seen less than `rule.warmup_s`.
    """
    score = None
    is_open, calm = track.open, track.calm_bins
    if value is not None and track.n * bin_s >= rule.warmup_s:
        score = _judge(track, value, rule)
    if is_open:
        calm = 0 if score is not None and score.over else calm + 1
        is_open = calm * bin_s < rule.rearm_s
    elif score is not None and score.opens:
        is_open, calm = True, 0
    waiting = (*track.waiting, value)
    mean, variance, n = track.mean, track.variance, track.n
    if len(waiting) > rule.window_bins:
        if waiting[0] is not None:
            mean, variance, n = _learn(track, waiting[0], rule, bin_s)
        waiting = waiting[1:]
    return Track(mean, variance, n, waiting, is_open, calm), score


def _judge(track: Track, value: float, rule: Rule) -> Score:
    mean, sd = track.mean, max(math.sqrt(track.variance), rule.sd_floor)
    distance = max(rule.threshold_z * sd, rule.min_shift)
    high = max(mean + distance, mean * rule.min_ratio, rule.min_value)
    falls = rule.both_ways and value < mean
    bound = mean - distance if falls else high
    over = value < bound if falls else value > bound
    return Score(value, mean, sd, (value - mean) / sd, bound, over, over and not track.open)


def _learn(track: Track, value: float, rule: Rule, bin_s: float) -> tuple[float, float, int]:
    n = track.n + 1
    deviation = value - track.mean
    if n > FREE_BINS:
        limit = WINSOR_SD * max(math.sqrt(track.variance), rule.sd_floor)
        deviation = max(-limit, min(limit, deviation))
    mean = track.mean + max(bin_s / rule.mean_memory_s, 1 / n) * deviation
    if n == 1:
        return mean, 0.0, n
    weight = max(bin_s / rule.variance_memory_s, 1 / n)
    return mean, track.variance + weight * (deviation * deviation - track.variance), n
