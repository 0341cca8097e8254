"""95 % intervals of every metric: of sums on the skewed sessions of the demo's viewers, of quantiles on known startups.

Differences are in `test_false_alarms`; more sizes and samples by
`python -m tests.benchmarks.coverage`.
"""

import pytest

from tests.benchmarks.coverage import of_quantiles, of_sums
from warehouse.metrics.registry import SUMMED


@pytest.mark.parametrize(
    ("n", "least", "most"),
    # Few sessions of skewed measures are covered less often, and proportions of few failures in steps.
    [(200, 0.905, 0.99), (1_000, 0.92, 0.97), (10_000, 0.93, 0.97), (100_000, 0.93, 0.97)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(n: int, least: float, most: float) -> None:
    found = of_sums(n, replicates=2_000, seed=2)
    assert set(found) == set(SUMMED)
    assert all(least <= share <= most for share in found.values()), found


@pytest.mark.parametrize("n", [500, 10_000, 100_000])
def test_intervals_of_quantiles_hold_the_truth(n: int) -> None:
    found = of_quantiles(n, replicates=2_000, seed=2)
    assert len(found) == 4
    assert all(0.93 <= share <= 0.97 for share in found.values()), found
