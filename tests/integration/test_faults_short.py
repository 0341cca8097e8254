"""Each fault once, shortly; `python -m tests.faults` is the long run."""

from pathlib import Path
from random import Random

import pytest

from tests.faults.ground import Ground
from tests.faults.scenarios import KILLING, OTHERS, Scenario, kill_both

SCENARIOS = [scenario for scenario in (*KILLING, *OTHERS) if scenario is not kill_both]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_nothing_acknowledged_is_lost(tmp_path: Path, scenario: Scenario) -> None:
    ground = Ground(
        tmp_path, Random(scenario.__name__), outage_s=3.0, slow_s=3.0, spell_s=0.3, connections=500, clients=4
    )
    outcome = scenario(ground)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.problems == []
    assert outcome.acknowledged > 0
