"""Sessions from events: the same in every order, split and repetition, and beside what a summary tells."""

import json
from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ingest.payloads import epas
from ingest.payloads.instants import Arrival
from tests.unit.live_frames import DAY, START, at, events_frame
from tests.unit.session_frames import core_frame
from warehouse.datasets import CORE_SESSIONS
from warehouse.datasets.events import CORE_EVENTS, RAW_EVENTS
from warehouse.metrics import engagement, events
from warehouse.metrics.watching import build_sessions, merge

DATA = {
    "load": {"duration": 120, "live": False},
    "ready": {"startup_ms": 800},
    "seek": {"from": 10.5, "to": 60},
    "quality_change": {"bitrate_bps": 3_000_000, "width": 1280, "height": 720},
    "dropped_frames": {"count": 4},
    "heartbeat": {"position": 3, "playing": True, "bitrate_bps": 2_000_000},
    "error": {"code": 404, "message": "gone", "fatal": True, "kind": "technical", "extra": [1]},
}


def raw_row(event_id, seconds, kind, *, session="s1", data=None, **columns):
    body = {"eventId": event_id, "sessionId": session, "videoId": "c1", "userId": None, "type": kind}
    row = {
        "day": DAY,
        "tenant": "t",
        "session_id": session,
        "event_id": event_id,
        "occurred_at": None if seconds is None else at(seconds),
        "clock_suspect": False,
        "received_at": at(1_000),
        "ingest_id": f"i-{event_id}",
        "refused": None,
        "payload": json.dumps(body | {"data": DATA.get(kind) if data is None else data}),
    }
    return row | columns


def raw_frame(rows):
    return pl.DataFrame(list(rows), schema=RAW_EVENTS.schema(), orient="row")


def test_payloads_become_typed_columns():
    rows = [raw_row(kind, number, kind) for number, kind in enumerate(DATA)] + [raw_row("p", 90, "pause", data=None)]
    core = events.build_core(raw_frame(rows))
    assert core.schema == CORE_EVENTS.schema()
    by_type = {row["type"]: row for row in core.iter_rows(named=True)}
    assert (by_type["load"]["duration_s"], by_type["load"]["live"]) == (120.0, False)
    assert (by_type["seek"]["from_s"], by_type["seek"]["to_s"]) == (10.5, 60.0)
    assert (by_type["error"]["code"], by_type["error"]["error_kind"]) == ("404", "technical")
    assert by_type["dropped_frames"]["frame_count"] == 4
    assert (by_type["pause"]["position_s"], by_type["pause"]["content_id"]) == (None, "c1")


def test_an_event_counts_once_and_what_postgres_refused_not_at_all():
    rows = [raw_row("a", 0, "load"), raw_row("a", 0, "load", ingest_id="i-2"), raw_row("b", 1, "play", refused="bad")]
    assert events.build_core(raw_frame(rows)).get_column("event_id").to_list() == ["a"]


def test_a_session_has_the_columns_of_core_sessions():
    core = events_frame(
        [
            {"s": 0, "type": "load"},
            {"s": 0, "type": "play", "user_id": None},
            {"s": 1, "type": "ready", "startup_ms": 900.0},
            {"s": 31, "type": "pause", "content_id": None},
            {"s": 31, "type": "error", "error_kind": "business", "session_id": "s2"},
        ]
    )
    built = build_sessions(core)
    assert built.columns == list(CORE_SESSIONS.columns)
    first, second = built.iter_rows(named=True)
    assert (first["session_id"], first["content_id"], first["user_id"]) == ("s1", "c1", "u1")
    assert (first["started_at"], first["sent_at"]) == (START, at(31))
    assert (first["duration_ms"], first["startup_ms"], first["play_ms"]) == (31_000, 900, 30_000)
    assert (first["rebuffer_count"], first["seek_count"], first["dropped_frames"]) == (0, 0, None)
    assert (first["outcome"], first["rebuffer_ratio_media3"], first["stream_type"]) == ("played", None, None)
    assert (second["outcome"], second["business_error_count"]) == ("exit_before_video_start", 1)
    assert (second["error_count"], second["duration_ms"]) == (0, None)


def test_a_failure_before_the_first_frame_is_one():
    core = events_frame([{"s": 0, "type": "load"}, {"s": 0, "type": "play"}, {"s": 9, "type": "error", "fatal": None}])
    assert build_sessions(core)["outcome"].to_list() == ["video_start_failure"]


def test_a_clock_that_cannot_be_right_still_measures_spans():
    past = -86_400 * 365 * 30
    rows = [
        {"s": past + s, "type": kind, "clock_suspect": True} for s, kind in ((0, "ready"), (0, "play"), (9, "pause"))
    ]
    row = build_sessions(events_frame(rows)).row(0, named=True)
    assert (row["play_ms"], row["started_at"], row["clock_suspect"]) == (9_000, at(9_000), True)


def test_events_without_a_time_tell_what_they_tell():
    core = events_frame(
        [{"s": None, "type": "load", "content_id": "c9"}]
        + [{"s": s, "type": kind, "content_id": None} for s, kind in ((0, "ready"), (0, "play"), (9, "pause"))]
    )
    row = build_sessions(core).row(0, named=True)
    assert (row["content_id"], row["duration_ms"], row["started_at"]) == ("c9", 9_000, START)
    untimed = build_sessions(events_frame([{"s": None, "type": "load"}])).row(0, named=True)
    assert (untimed["started_at"], untimed["play_ms"], untimed["outcome"]) == (at(9_000), None, None)


def test_events_of_one_instant_stand_in_the_order_of_a_playback():
    """A seek's two halves and the play that follows often share a millisecond."""
    told = [("play", {}), ("seek", {"phase": "end", "event_id": "a"}), ("seek", {"phase": "start", "event_id": "b"})]
    core = events.ordered(events_frame([{"s": 5, "type": kind} | data for kind, data in told]))
    assert core.select("type", "phase").rows() == [("seek", "start"), ("seek", "end"), ("play", None)]


KINDS = sorted(["play", "pause", "buffer_start", "buffer_end", "complete", *DATA])
SESSION = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 60), st.sampled_from(["s1", "s2"])), min_size=1, max_size=25
)


@settings(deadline=None, max_examples=60)
@given(SESSION, st.randoms(use_true_random=False))
def test_any_order_split_and_repetition_gives_the_same_sessions(told, random):
    rows = [
        raw_row(f"e{number}", seconds, kind, session=session) for number, (kind, seconds, session) in enumerate(told)
    ]
    core = events.build_core(raw_frame(rows))
    again = [*rows, *(row | {"ingest_id": "again-" + row["ingest_id"]} for row in random.sample(rows, len(rows) // 2))]
    random.shuffle(again)
    cut = random.randint(0, len(again))
    parts = [raw_frame(part) for part in (again[cut:], again[:cut])]
    shuffled = events.build_core(pl.concat(parts))
    arrival = ("ingest_id",)
    assert_frame_equal(build_sessions(core).drop(arrival), build_sessions(shuffled).drop(arrival), check_exact=True)
    assert_frame_equal(build_sessions(core), build_sessions(core.sample(fraction=1, shuffle=True, seed=cut)))
    for frame in (shuffled, shuffled.sample(fraction=1, shuffle=True, seed=cut)):
        assert_frame_equal(engagement.segments(core), engagement.segments(frame))


def measured(**columns):
    core = events_frame(
        [{"s": 0, "type": "ready", "startup_ms": 700.0}, {"s": 0, "type": "play"}, {"s": 9, "type": "pause"}]
    )
    return build_sessions(core).with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def test_a_summary_wins_and_events_fill_its_nulls():
    summary = core_frame(
        [{"session_id": "s1", "play_ms": 8_500, "error_count": 1, "started_at": START + timedelta(seconds=1)}],
        {"cdn": "cdn"},
    ).with_columns(cdn=pl.lit("fast"))
    row = merge(summary, measured()).row(0, named=True)
    assert (row["play_ms"], row["error_count"], row["cdn"]) == (8_500, 1, "fast")
    assert (row["startup_ms"], row["rebuffer_count"], row["content_id"]) == (700, 0, "c1")
    assert row["outcome"] == "playback_failure"
    assert row["started_at"] == START + timedelta(seconds=1)
    assert row["gap"] is False


def test_sessions_of_one_kind_pass_as_they_are():
    summary = core_frame([{"session_id": "a", "play_ms": 1, "error_count": 0}])
    told = measured(session_id="b")
    merged = merge(summary, told)
    assert merged["session_id"].to_list() == ["a", "b"]
    assert_frame_equal(merged.head(1).select(summary.columns), summary)
    assert_frame_equal(merged.tail(1), told)
    assert merged.row(0, named=True)["gap"] is None


def test_a_numeric_id_of_an_old_sdk_is_never_that_of_events():
    summary = core_frame([{"session_id": "7", "identity_at": START, "play_ms": 1}])
    assert merge(summary, measured(session_id="7")).height == 2


def test_beacons_of_another_player_become_the_same_sessions():
    start_ms = round(START.timestamp() * 1000)
    told = [
        ("init", -1, -1, None),
        ("metadata", -1, -1, {"contentId": "c7", "userId": "u7"}),
        ("loading", 0, 0, None),
        ("loaded", 1_500, 0, None),
        ("playing", 1_600, 0, None),
        ("bitrate_changed", 1_600, 0, {"bitrate": 2_500}),
        ("buffering", 11_600, 10_000, None),
        ("buffered", 13_600, 10_000, None),
        ("playing", 13_600, 10_000, None),
        ("seeking", 20_000, 16_400, None),
        ("seeked", 20_500, 60_000, None),
        ("playing", 20_500, 60_000, None),
        ("heartbeat", 50_500, 90_000, None),
        ("warning", 51_000, 90_500, {"code": "w"}),
        ("stopped", 60_500, 100_000, {"reason": "ended"}),
    ]
    rows = []
    for event, at_ms, playhead, payload in told:
        beacon = {"event": event, "sessionId": "e1", "playhead": playhead, "duration": 100_000}
        beacon |= {"timestamp": -1 if at_ms < 0 else start_ms + at_ms} | ({"payload": payload} if payload else {})
        accepted = epas.accept(json.dumps(beacon).encode(), tenant="t", arrival=Arrival.at(at(100)))
        record = json.loads(accepted.record)
        occurred = record["occurred_at"] and START + timedelta(milliseconds=record["occurred_at"] - start_ms)
        body = {"occurred_at": occurred, "payload": json.dumps(record["body"]), "session_id": "e1"}
        rows.append(raw_row(record["event_id"], 0, event, **body))
    core = events.build_core(raw_frame(rows))
    row = build_sessions(core).row(0, named=True)
    assert (row["content_id"], row["user_id"], row["startup_ms"]) == ("c7", "u7", 1_500)
    assert (row["play_ms"], row["rebuffer_ms"], row["rebuffer_count"]) == (56_400, 2_000, 1)
    assert (row["seek_count"], row["seek_ms"], row["bitrate_bps"]) == (1, 500, 2_500_000)
    assert (row["error_count"], row["gap"], row["outcome"]) == (0, False, "played")
    watched = engagement.segments(core).select("content_id", "user_id", "first_s", "last_s").rows()
    assert watched == [("c7", "u7", 1, 10), ("c7", "u7", 10, 17), ("c7", "u7", 60, 100)]
