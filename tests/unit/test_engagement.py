"""What of the content was watched, second by second."""

import polars as pl
from polars.testing import assert_frame_equal

from tests.unit.live_frames import events_frame
from warehouse.datasets.events import CORE_WATCHED_SECONDS, OUT_ENGAGEMENT
from warehouse.metrics.engagement import aggregate, segments, watched_seconds
from warehouse.metrics.engagement_curves import curve, proportion, steps, totals


def pieces(*told, **columns):
    """Segments of events told as (type, position or columns), a second apart."""
    rows = []
    for second, (kind, value) in enumerate(told):
        given = value if isinstance(value, dict) else {"position_s": value}
        rows.append({"s": second, "type": kind} | columns | given)
    return events_frame(rows)


def spans(core):
    return segments(core).select("first_s", "last_s").rows()


def test_a_start_pairs_with_the_last_end_before_the_next_start():
    assert spans(pieces(("play", 0.0), ("pause", 10.0), ("pause", 12.0), ("play", 30.0), ("complete", 40.0))) == [
        (1, 12),
        (30, 40),
    ]


def test_positions_are_rounded_up_and_backward_pieces_count_nothing():
    assert spans(pieces(("play", 4.2), ("pause", 9.1))) == [(5, 10)]
    assert spans(pieces(("play", 9.0), ("pause", 9.0), ("play", 20.0), ("pause", 3.0))) == []


def test_a_start_without_end_counts_what_a_heartbeat_saw_or_nothing():
    assert spans(pieces(("play", 0.0), ("play", 5.0))) == []
    beats = [("heartbeat", 5.0), ("heartbeat", 9.0)]
    assert spans(pieces(("play", 0.0), *beats)) == [(1, 9)]
    assert spans(pieces(("play", 0.0), *beats, ("pause", 7.0))) == [(1, 7)]


def test_a_seek_ends_what_was_watched_at_from_and_goes_on_where_it_went():
    jump = ("seek", {"from_s": 10.0, "to_s": 60.0})
    assert spans(pieces(("play", 0.0), jump, ("pause", 70.0))) == [(1, 10), (60, 70)]
    assert spans(pieces(("play", 0.0), jump, ("play", 60.0), ("pause", 70.0))) == [(1, 10), (60, 70)]


def test_a_seek_while_paused_changes_nothing():
    told = [("play", 0.0), ("pause", 10.0), ("seek", {"from_s": 300.0, "to_s": 20.0}), ("play", 20.0), ("pause", 30.0)]
    assert spans(pieces(*told)) == [(1, 10), (20, 30)]


def test_a_seek_told_by_two_events_ends_and_starts():
    halves = [("seek", {"from_s": 10.0, "phase": "start"}), ("seek", {"to_s": 50.0, "phase": "end"})]
    assert spans(pieces(("play", 0.0), *halves, ("pause", 55.0))) == [(1, 10), (50, 55)]
    assert spans(pieces(("play", 0.0), ("pause", 5.0), *halves, ("play", 50.0), ("pause", 55.0))) == [(1, 5), (50, 55)]


def test_completion_without_position_is_at_the_end():
    assert spans(pieces(("play", 0.0), ("complete", {"duration_s": 12.0}))) == [(1, 12)]


def test_watched_seconds_count_replays_of_a_user_over_sessions():
    told = [("play", 0.0), ("pause", 3.0), ("play", 1.0), ("pause", 2.0)]
    core = pieces(*told).vstack(pieces(("play", 2.0), ("pause", 3.0), session_id="s2"))
    watched = watched_seconds(segments(core))
    assert watched.schema == CORE_WATCHED_SECONDS.schema()
    assert watched.select("second", "count").rows() == [(1, 2), (2, 3), (3, 2)]


def test_a_session_whose_user_or_content_some_event_tells_has_it_everywhere():
    core = events_frame(
        [
            {"s": None, "type": "load", "user_id": "u7", "content_id": "c7"},
            {"s": 1, "type": "play", "position_s": 0.0, "user_id": None, "content_id": None},
            {"s": 5, "type": "pause", "position_s": 2.0, "user_id": None, "content_id": None},
        ]
    )
    watched = watched_seconds(segments(core))
    assert watched.select("user_id", "content_id", "second").rows() == [("u7", "c7", 1), ("u7", "c7", 2)]


def test_curves_of_completion_replay_and_drop_off():
    core = pieces(("load", {"duration_s": 4.0}), ("play", 0.0), ("complete", 4.0), ("play", 0.0), ("pause", 1.0))
    core = core.vstack(pieces(("load", {"duration_s": 4.0}), ("play", 0.0), ("pause", 2.0), session_id="s2"))
    core = core.vstack(pieces(("play", 3.0), ("pause", 4.0), session_id="s3"))
    curve = aggregate(core, segments(core))
    assert curve.schema == OUT_ENGAGEMENT.schema()
    columns = ("second", "sessions_n", "watches_sum", "reached_n", "last_n")
    assert curve.select(columns).rows() == [
        (0, 3, 9, 3, 0),
        (1, 2, 3, 3, 0),
        (2, 2, 2, 3, 1),
        (3, 2, 2, 2, 0),
        (4, 2, 2, 2, 2),
    ]
    totals = curve.row(0, named=True)
    assert (totals["completed_n"], totals["length_n"], totals["length_s_max"]) == (1, 2, 4.0)


def test_nothing_watched_is_nothing():
    core = pieces(("load", {"duration_s": 4.0}))
    assert segments(core).height == 0
    assert aggregate(core, segments(core)).height == 0
    assert watched_seconds(segments(core)).height == 0


def test_curves_add_up_over_days_and_are_read_from_sums():
    first = pieces(("load", {"duration_s": 4.0}), ("play", 0.0), ("complete", 4.0), ("play", 0.0), ("pause", 1.0))
    second = pieces(("load", {"duration_s": 4.0}), ("play", 2.0), ("pause", 3.0), session_id="s2")
    later = second.with_columns(day=pl.col("day").dt.offset_by("1d"))
    days = pl.concat([aggregate(core, segments(core)) for core in (first, later)])
    together = first.vstack(second)
    once = aggregate(together, segments(together))
    assert_frame_equal(curve(days), curve(once))
    assert_frame_equal(totals(days), totals(once))
    assert curve(once).drop("tenant", "content_id").rows() == [
        (1, 1.0, 0.5, 1.0, 0.0),
        (2, 1.0, 1.0, 0.0, 0.0),
        (3, 1.0, 1.0, 0.0, 0.5),
        (4, 0.5, 0.5, 0.0, 1.0),
    ]
    told = totals(once).row(0, named=True)
    assert (told["sessions_n"], told["watched_s"], told["again_s"], told["length_s"]) == (2, 7, 1, 4.0)
    assert (told["completion_ratio"], told["length_n"]) == (0.5, 2)
    assert 0 < told["completion_low"] < 0.5 < told["completion_high"] < 1


def test_seconds_that_nobody_watched_are_in_the_curve():
    core = pieces(("play", 0.0), ("pause", 1.0), ("play", 4.0), ("pause", 5.0))
    rows = curve(aggregate(core, segments(core))).select("second", "watched_ratio", "replay_ratio").rows()
    assert rows == [(1, 1.0, 0.0), (2, 0.0, None), (3, 0.0, None), (4, 1.0, 0.0), (5, 1.0, 0.0)]


def test_steps_hold_the_counts_of_the_curve():
    first = pieces(("play", 0.0), ("pause", 10.0), ("play", 0.0), ("pause", 3.0))
    second = pieces(("play", 0.0), ("pause", 4.0), session_id="s2")
    core = pl.concat([first, second])
    rows = aggregate(core, segments(core))
    told = ("first_s", "last_s", "began_n", "reached_n", "left_n", "watches_sum", "sessions_sum")
    assert steps(rows, 3).select(told).rows() == [
        (1, 4, 2, 2, 1, 11, 8),
        (5, 8, 2, 1, 0, 4, 4),
        (9, 12, 2, 1, 1, 2, 2),
    ]
    assert steps(rows, 100).height == 10
    left = proportion(steps(rows, 3), "reached_n", "left_n")
    assert left.select("value", "n").rows() == [(0.5, 2), (0.0, 1), (1.0, 1)]
    assert (left["low"] <= left["value"]).all()
    assert (left["value"] <= left["high"]).all()
