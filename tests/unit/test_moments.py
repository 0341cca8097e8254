"""Moments: one a burst, wherever bins are cut, with threshold, score and evidence."""

import json
import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.moment_streams import FACTOR, NOISES, Outcome, Stream, binned, draw, ours, telemetra
from tests.unit.live_frames import DAY, START, chat_frame, viewers_frame
from warehouse.datasets.live import OUT_MOMENTS
from warehouse.metrics.live_bins import BIN_S, Bin, bins
from warehouse.metrics.moment_rows import detect, row
from warehouse.metrics.moments import MAX_SILENCE_S, StreamState, advance


def steady(count, viewers=None, mood=0.0, first=0, length=120):
    """Bins that hold the same; `mood` is the mean sentiment of half of the messages."""
    half = count // 2
    seen = (0, 0) if viewers is None else (1, viewers)
    return [Bin(first + n * BIN_S, count, half, half * mood, *seen) for n in range(length)]


def run(found):
    return advance(StreamState(), found)[1]


def test_a_burst_is_one_moment_with_its_evidence():
    stream = steady(50) + steady(150, first=600, length=6) + steady(50, first=630)
    (moment,) = run(stream)
    assert (moment.moment_type, moment.metric_name) == ("chat_spike", "chat_rate")
    assert 600 < moment.at_s <= 630
    assert moment.metric_value > moment.threshold > 10
    assert moment.z_score >= 4
    evidence = dict(moment.evidence)
    assert evidence["window_end_ms"] - evidence["window_start_ms"] == 30_000
    assert evidence["window_end_ms"] == moment.at_s * 1000
    assert evidence["baseline"] == pytest.approx(10, rel=0.01)
    assert moment.metric_value == pytest.approx(evidence["messages"] / 30)


def test_viewers_that_arrive_together_are_a_moment():
    stream = steady(0, 1000) + steady(0, 1600, first=600)
    (moment,) = run(stream)
    assert (moment.moment_type, moment.metric_name) == ("viewer_spike", "viewer_count")
    assert 600 < moment.at_s <= 660
    assert moment.metric_value > moment.threshold >= 1.24 * 1000


@pytest.mark.parametrize("mood", [-0.6, 0.9])
def test_a_mood_that_turns_is_a_moment_in_either_direction(mood):
    (moment,) = run(steady(20, mood=0.1) + steady(20, mood=mood, first=600))
    assert moment.moment_type == "sentiment_shift"
    assert moment.metric_name == "avg_sentiment"
    assert 600 < moment.at_s <= 660
    assert (
        (moment.metric_value < moment.threshold < 0.1) if mood < 0 else (moment.metric_value > moment.threshold > 0.1)
    )
    assert abs(moment.z_score) >= 4


def test_few_messages_have_no_mood_and_no_spike():
    assert run(steady(2, mood=0.1) + steady(2, mood=-0.9, first=600)) == []
    quiet = [Bin(n * BIN_S, int(n % 24 == 0)) for n in range(120)]
    assert run([*quiet, Bin(600, 3), Bin(605, 3), Bin(610, 3)]) == []


def test_a_stream_that_begins_anew_has_nothing_usual_yet():
    before = steady(50)
    after = steady(500, first=before[-1].at_s + MAX_SILENCE_S + 2 * BIN_S)
    assert run(before + after) == []


def test_bins_come_in_order():
    state, _, _ = advance(StreamState(), [Bin(10, 1)])
    with pytest.raises(ValueError, match="before the newest"):
        advance(state, [Bin(10, 1)])


STREAM = draw(7, 5, NOISES[1])
BINS = [Bin(n * BIN_S, int(k), n % 5, 0.1 * (n % 3), n % 2, 9) for n, k in enumerate(binned(STREAM.counts, BIN_S)) if k]
BINS = [item for item in BINS if abs(item.at_s - STREAM.starts[0]) < 600 and item.at_s % 70 > 0]
WHOLE = advance(StreamState(), BINS)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, len(BINS)), max_size=8))
def test_however_bins_are_cut_into_calls_the_moments_are_the_same(cuts):
    edges = [0, *sorted(cuts), len(BINS)]
    state, moments, scores = StreamState(), [], []
    for first, last in pairwise(edges):
        state, found, judged = advance(state, BINS[first:last])
        moments += found
        scores += judged
    assert (state, moments, scores) == WHOLE
    assert moments
    assert scores


def test_rows_of_many_streams_at_once():
    rng = np.random.default_rng(3)
    seconds = np.sort(rng.uniform(0, 900, 4_500))
    burst = rng.uniform(600, 630, 450)
    written = chat_frame({"s": float(s), "stream_id": "x"} for s in (*seconds, *burst))
    quiet = chat_frame({"s": float(s), "stream_id": "y"} for s in seconds)
    moments, scores = detect(bins(pl.concat([written, quiet]), viewers_frame([])), DAY)
    assert moments.schema == OUT_MOMENTS.schema()
    (found,) = moments.iter_rows(named=True)
    assert (found["stream_id"], found["moment_type"]) == ("x", "chat_spike")
    assert found["description"].startswith("Chat rose to ")
    assert json.loads(found["evidence"])["baseline"] == pytest.approx(5, rel=0.2)
    assert set(scores["stream_id"]) == {"x", "y"}
    assert scores.filter(pl.col("over"))["at"].min() == found["detected_at"]
    assert found["detected_at"] > START


def test_a_stream_that_runs_over_midnight_keeps_its_baseline():
    """A burst in the first minute of a day is a moment of that day, and of no other."""
    noon = int(START.timestamp())
    midnight = noon + 43_200
    stream = steady(50, first=noon, length=8_640) + steady(150, first=midnight, length=6)
    frame = pl.DataFrame(stream, schema=Bin._fields, orient="row").rename({"at_s": "bin_s"})
    frame = frame.with_columns(tenant=pl.lit("t"), stream_id=pl.lit("x")).select(
        "tenant", "stream_id", pl.exclude("tenant", "stream_id")
    )
    before, scores = detect(frame, DAY)
    assert before.is_empty()
    assert scores["at"].max() == START + timedelta(hours=12)
    after, later = detect(frame, DAY + timedelta(days=1))
    assert after["day"].to_list() == [DAY + timedelta(days=1)]
    assert later["at"].min() > scores["at"].max()
    whole = advance(StreamState(), stream)[1]
    assert [moment.at_s for moment in whole] == after["detected_at"].dt.epoch("s").to_list()


def test_a_moment_has_one_id_wherever_it_is_found():
    moment = run(steady(50) + steady(150, first=600, length=6))[0]
    ids = {row("t", "x", moment)["moment_id"], row("t", "x", moment)["moment_id"], row("t", "y", moment)["moment_id"]}
    assert len(ids) == 2
    assert row("t", "x", moment)["detected_at"] == datetime.fromtimestamp(moment.at_s, UTC)


@pytest.mark.parametrize("rate", [5, 20])
def test_bursts_are_found_and_little_else(rate):
    found, theirs = Outcome(), Outcome()
    for noise in NOISES:
        for seed in range(6):
            stream: Stream = draw(seed, rate, noise)
            found.add(ours(stream.counts), stream.starts)
            theirs.add(telemetra(stream.counts), stream.starts)
    assert found.recall >= 0.85
    assert found.false_alarms_per_hour <= 0.5
    assert theirs.recall < 0.4


def test_a_burst_found_twice_is_one_find_and_one_false_alarm():
    outcome = Outcome()
    outcome.add([105, 130, 500], [100, 900])
    assert (outcome.found, outcome.false_alarms, outcome.planted) == (1, 2, 2)


def test_streams_are_drawn_as_they_are_described():
    plain, planted = draw(1, 20, NOISES[0], bursts=0), draw(1, 20, NOISES[0])
    assert math.isclose(plain.counts.mean(), 20, rel_tol=0.35)
    inside = np.concatenate([planted.counts[s : s + 30] for s in planted.starts])
    around = np.concatenate([planted.counts[s - 60 : s] for s in planted.starts])
    assert inside.mean() / around.mean() == pytest.approx(FACTOR, rel=0.15)
