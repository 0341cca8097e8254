"""The thresholds of incidents that a user may set. How they are applied is in `incidents`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """When something is an incident. Raise `score` for fewer false alarms, `rise` to hear of large ones only."""

    cohort: int = 30
    """Fewest sessions of a slice in the steps that tell of an incident."""
    score: float = 4.5
    """Standard deviations from the expectation."""
    rise: float = 1.3
    """Least ratio of the value to its expectation, however sure."""
    history_days: int = 7
    """Days of a series before anything is expected of it."""
