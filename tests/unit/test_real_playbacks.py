"""Real playbacks against what others made of them: Open edX, Shaka, Lumos."""

import csv
import gzip
import itertools
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime

import polars as pl
import pytest

from tests.unit.real_data import FOLDER, needs
from warehouse.datasets.events import CORE_EVENTS
from warehouse.metrics.engagement import aggregate, segments, watched_seconds
from warehouse.metrics.playback import measure
from warehouse.metrics.playback_records import Event

TYPES = {
    "played": "play",
    "paused": "pause",
    "terminated": "pause",
    "seeked": "seek",
    "completed": "complete",
    "initialized": "load",
}
"""Verbs of Open edX as types of ours; `terminated` is an end as `paused` is."""


def table(folder, name):
    return list(csv.DictReader(gzip.open(FOLDER / folder / name, "rt", encoding="utf-8")))


@pytest.fixture(scope="module")
def course():
    rows = [
        {
            "day": date(2024, 1, 1),
            "tenant": "t",
            "session_id": row["actor_id"],
            "event_id": row["event_id"],
            "occurred_at": datetime.fromisoformat(row["emission_time"]).replace(tzinfo=UTC),
            "clock_suspect": False,
            "type": TYPES[row["verb_id"].rpartition("/")[2]],
            "content_id": row["object_id"],
            "user_id": row["actor_id"],
            "position_s": float(row["video_position"]),
            "duration_s": float(row["video_duration"]),
        }
        for row in table("openedx-video", "video_playback_events_expected.csv.gz")
    ]
    assert len(rows) == 6_979
    schema = CORE_EVENTS.schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row")


@needs("openedx-video")
def test_watched_seconds_are_those_of_open_edx(course):
    expected = {
        (row["actor_id"], row["object_id"], int(row["watched_segment"])): int(row["watch_count"])
        for row in table("openedx-video", "fact_video_segments_expected.csv.gz")
    }
    assert len(expected) == 14_628
    found = watched_seconds(segments(course)).select("user_id", "content_id", "second", "count")
    assert {(user, video, second): count for user, video, second, count in found.iter_rows()} == expected
    assert found.height == 14_628


@needs("openedx-video")
def test_curves_are_counted_from_the_same_seconds(course):
    viewers, watches = defaultdict(set), Counter()
    for row in table("openedx-video", "fact_video_segments_expected.csv.gz"):
        key = row["object_id"], int(row["watched_segment"])
        viewers[key].add(row["actor_id"])
        watches[key] += int(row["watch_count"])
    curve = aggregate(course, segments(course)).filter(pl.col("second") > 0)
    found = {(row["content_id"], row["second"]): row for row in curve.iter_rows(named=True)}
    assert found.keys() == watches.keys()
    assert all(found[key]["watches_sum"] == watches[key] for key in watches)
    assert all(found[key]["sessions_n"] == len(viewers[key]) for key in watches)


@needs("player-facts")
def test_states_last_as_long_as_shaka_says():
    facts = json.loads((FOLDER / "player-facts" / "shaka_state_history.json").read_text())
    told = {"a": ("buffer_end", "play"), "b": ("play", "buffer_start"), "c": ("buffer_end", "pause")}
    events, at_ms = [Event(0, "ready")], 0
    for state, lasted_ms in facts["case"]:
        events += [Event(at_ms, kind) for kind in told[state]]
        at_ms += lasted_ms
    found = measure(events)
    expected = facts["expected_seconds"]
    assert (found.play_ms, found.rebuffer_ms) == (expected["a"] * 1000, expected["b"] * 1000)
    paused_ms = found.ended_ms - found.play_ms - found.rebuffer_ms
    assert paused_ms == expected["c"] * 1000


@needs("lumos")
@pytest.mark.parametrize(("name", "sessions"), [("ABR_data.csv.gz", 392), ("constant_data.csv.gz", 198)])
def test_chunks_logged_as_buffering_are_stalls_by_the_run(name, sessions):
    rows = table("lumos", name)
    by_session = [list(part) for _, part in itertools.groupby(rows, key=lambda row: row["session_file"])]
    assert len(by_session) == sessions
    for session in by_session:
        states = [row["player_state"] for row in sorted(session, key=lambda row: int(row["row"]))]
        kinds = {"buffering": "buffer_start", "steady": "buffer_end"}
        ticks = [Event(at_ms, kinds[state]) for at_ms, state in enumerate(states)]
        found = measure([Event(0, "ready"), Event(0, "play"), *ticks, Event(len(states), "pause")])
        runs = [sum(1 for _ in run) for state, run in itertools.groupby(states) if state == "buffering"]
        assert [stall.duration_ms for stall in found.stalls] == runs
        assert found.play_ms == states.count("steady")
