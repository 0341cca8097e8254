"""What one session's events say: playing, stalls as collapsed runs, seeks, gaps, errors."""

import pytest

from warehouse.metrics.playback import measure
from warehouse.metrics.playback_records import Event


def e(seconds, kind, **data):
    return Event(round(seconds * 1000), kind, **data)


def of(*events):
    return measure(sorted(events, key=lambda event: event.at_ms))


def test_a_plain_session():
    found = of(
        e(0, "load"),
        e(0.2, "play"),
        e(1.2, "ready", startup_ms=950),
        e(11.2, "buffer_start", position_s=10),
        e(13.2, "buffer_end", position_s=10),
        e(23.2, "pause"),
        e(50, "play"),
        e(55, "complete"),
    )
    assert (found.started_ms, found.ended_ms, found.startup_ms) == (0, 55_000, 950)
    assert (found.play_ms, found.rebuffer_ms) == (25_000, 2_000)
    assert [(stall.at_ms, stall.position_s, stall.duration_ms) for stall in found.stalls] == [(11_200, 10, 2_000)]
    assert (found.completed, found.gap, found.long_stall, found.error_count) == (True, False, False, 0)
    assert (found.dropped_frames, found.bitrate_bps) == (None, None)


def test_buffering_that_is_told_every_100_ms_is_one_stall():
    ticks = [e(10 + n / 10, "buffer_start") for n in range(30)]
    found = of(e(0, "load"), e(1, "ready"), e(1, "play"), *ticks, e(13, "buffer_end"), e(20, "pause"))
    assert (len(found.stalls), found.rebuffer_ms, found.play_ms) == (1, 3_000, 16_000)


def test_startup_is_from_load_to_ready_where_the_player_measured_nothing():
    assert of(e(0, "load"), e(1.5, "ready")).startup_ms == 1_500
    assert of(e(0, "load"), e(2, "load"), e(2.5, "ready")).startup_ms == 500
    assert of(e(0, "play"), e(2.5, "ready")).startup_ms is None


def test_what_is_buffered_before_the_first_frame_is_startup():
    told = of(e(0, "load"), e(0, "play"), e(1, "buffer_start"), e(3, "buffer_end"), e(3, "ready"), e(9, "pause"))
    untold = of(e(0, "load"), e(0, "play"), e(0.1, "buffer_start"), e(3, "buffer_end"), e(9, "pause"))
    for found in (told, untold):
        assert (found.stalls, found.rebuffer_ms, found.play_ms) == ([], 0, 6_000)


def test_a_playback_that_never_began_has_no_play_time():
    found = of(e(0, "load"), e(0, "play"), e(8, "error", code="404"))
    assert (found.startup_ms, found.play_ms, found.error_count) == (None, 0, 1)
    assert of(e(0, "load"), e(1, "play"), e(30, "quality_change", bitrate_bps=1.0)).play_ms == 0


def test_a_stall_while_paused_counts_and_takes_no_time():
    found = of(e(0, "ready"), e(0, "play"), e(10, "pause"), e(11, "buffer_start"), e(20, "buffer_end"), e(21, "play"))
    assert (len(found.stalls), found.rebuffer_ms, found.play_ms) == (1, 0, 10_000)


def test_buffering_after_a_seek_is_the_seeks():
    seek = e(10, "seek", from_s=10.0, to_s=90.0)
    found = of(e(0, "ready"), e(0, "play"), seek, e(10.3, "buffer_start"), e(12, "buffer_end"), e(20, "pause"))
    assert (found.seeks, found.seek_ms, found.stalls) == ([seek], 1_700, [])
    assert found.play_ms == 18_300
    later = of(e(0, "ready"), e(0, "play"), seek, e(11.1, "buffer_start"), e(12, "buffer_end"), e(20, "pause"))
    assert (later.seek_ms, later.rebuffer_ms) == (0, 900)


def test_a_seek_told_by_two_events_is_one():
    halves = (e(10, "seek", from_s=10.0, phase="start"), e(12, "seek", to_s=90.0, phase="end"))
    found = of(e(0, "ready"), e(0, "play"), *halves, e(20, "pause"))
    assert (len(found.seeks), found.seek_ms, found.play_ms) == (1, 2_000, 18_000)


def test_a_seek_out_of_a_stall_ends_it():
    found = of(
        e(0, "ready"),
        e(0, "play"),
        e(5, "buffer_start"),
        e(8, "seek", from_s=5.0, to_s=50.0),
        e(9, "buffer_end"),
        e(10, "pause"),
    )
    assert (found.rebuffer_ms, found.seek_ms, found.play_ms) == (3_000, 1_000, 6_000)


def beats(*seconds, playing=True):
    return [e(s, "heartbeat", playing=playing) for s in seconds]


def test_a_silence_over_8_s_ends_the_measured_part_of_a_session_with_heartbeats():
    start = (e(0, "ready"), e(0, "play"))
    tail = (e(40, "buffer_start"), e(42, "buffer_end"), e(45, "pause"))
    cut = of(*start, *beats(5, 10), *tail)
    assert (cut.play_ms, cut.stalls, cut.gap) == (10_000, [], True)
    whole = of(*start, *beats(5, 10, 18, 26, 34, 39), *tail)
    assert (whole.play_ms, whole.rebuffer_ms, whole.gap) == (43_000, 2_000, False)
    without = of(*start, *tail)
    assert (without.play_ms, without.gap) == (43_000, False)


def test_silence_while_paused_is_no_gap():
    found = of(e(0, "ready"), e(0, "play"), *beats(5), e(10, "pause"), e(300, "play"), *beats(305), e(306, "pause"))
    assert (found.play_ms, found.gap) == (16_000, False)


def test_heartbeats_that_tell_nothing_of_playing_promise_no_interval():
    told_nothing = [e(s, "heartbeat", playing=None) for s in (0, 30, 60)]
    assert of(e(0, "ready"), e(0, "play"), *told_nothing, e(61, "pause")).play_ms == 61_000


@pytest.mark.parametrize(("seconds", "counted", "flagged"), [(20, 20_000, False), (20.001, 20_000, True)])
def test_a_stall_over_20_s_ends_the_measured_part(seconds, counted, flagged):
    events = (e(0, "ready"), e(0, "play"), e(10, "buffer_start"), e(10 + seconds, "buffer_end"), e(60, "pause"))
    found = of(*events, e(61, "error"))
    assert (found.rebuffer_ms, found.long_stall, found.error_count) == (counted, flagged, 1)
    assert found.play_ms == (10_000 if flagged else 40_000)


def test_business_errors_are_apart_from_technical_ones():
    found = of(
        e(0, "load"),
        e(1, "error", error_kind="business", code="GEO"),
        e(2, "error", fatal=False),
        e(3, "error", fatal=True),
        e(4, "error", error_kind="technical"),
    )
    assert (found.error_count, found.business_error_count, len(found.errors)) == (2, 1, 4)


def test_bitrate_is_weighted_by_the_time_it_played():
    found = of(
        e(0, "ready"),
        e(0, "play"),
        e(0, "quality_change", bitrate_bps=1_000_000.0),
        e(10, "quality_change", bitrate_bps=4_000_000.0),
        e(15, "pause"),
        e(100, "quality_change", bitrate_bps=9_000_000.0),
    )
    assert found.bitrate_bps == 2_000_000
    assert len(found.quality_changes) == 3


def test_dropped_frames_add_up():
    assert of(e(0, "ready"), *(e(n, "dropped_frames", frame_count=float(n)) for n in (1, 2, 3))).dropped_frames == 6


def test_a_clock_that_jumps_by_days_ends_the_session():
    found = of(e(0, "ready"), e(0, "play"), e(10, "pause"), e(900_000, "complete"))
    assert (found.ended_ms, found.play_ms, found.gap) == (10_000, 10_000, True)
