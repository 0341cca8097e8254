"""Outcome classes."""

import pytest

from tests.unit.session_frames import core_frame
from warehouse.datasets import OUTCOMES


@pytest.mark.parametrize(
    ("startup", "play", "errors", "expected"),
    [
        (100, 5000, 0, "played"),
        (100, 0, 0, "played"),
        (100, None, 0, "played"),
        (None, 5000, 0, "played"),
        (0, None, 0, "played"),
        (None, None, 0, "exit_before_video_start"),
        (None, 0, 0, "exit_before_video_start"),
        (None, None, 1, "video_start_failure"),
        (None, 0, 2, "video_start_failure"),
        (100, 5000, 1, "playback_failure"),
        (None, 5000, 1, "playback_failure"),
        (100, 5000, None, None),
        (None, None, None, None),
    ],
)
def test_outcome(startup, play, errors, expected):
    core = core_frame([{"startup_ms": startup, "play_ms": play, "error_count": errors}])
    assert core["outcome"].to_list() == [expected]
    assert expected is None or expected in OUTCOMES
