"""Means of a stream and of its minutes, with their intervals."""

import math
import random

import polars as pl
import pytest

from tests.unit.live_frames import DAY, chat_frame, viewers_frame
from warehouse.metrics import chat, moment_rows
from warehouse.metrics.stream_summary import emote_uses, minute_means, summarize


def minutes(messages, samples):
    return chat.minutes(chat_frame(messages), viewers_frame(samples), moment_rows.NO_SCORES)


def rows(messages, samples):
    return {row["metric"]: row for row in summarize(minutes(messages, samples)).to_dicts()}


def test_means_are_of_everything_that_landed():
    messages = [{"s": n, "sentiment": value} for n, value in enumerate([0.5, None, -0.1, None])]
    found = rows(messages, [{"s": 0, "viewer_count": 10}, {"s": 1, "viewer_count": 20}, {"s": 200, "viewer_count": 60}])
    assert (found["avg_viewers"]["value"], found["avg_viewers"]["n"]) == (30.0, 3)
    assert (found["avg_sentiment"]["value"], found["avg_sentiment"]["n"]) == (pytest.approx(0.2), 2)
    assert (found["sentiment_coverage_ratio"]["value"], found["sentiment_coverage_ratio"]["n"]) == (0.5, 4)
    assert (found["chat_rate"]["value"], found["chat_rate"]["n"]) == (pytest.approx(4 / 120), 2)
    assert {row["low"] for row in found.values()} == {None}, "one block says nothing of how sure a mean is"


def test_without_chat_nothing_is_said_of_it():
    found = rows([], [{"s": 0, "viewer_count": 10}])
    assert [metric for metric, row in found.items() if row["value"] is None] == [
        "chat_rate",
        "avg_sentiment",
        "sentiment_coverage_ratio",
    ]


def test_intervals_hold_the_truth_as_often_as_they_say():
    # Levels that last for five minutes, as moods do: minutes as observations would hold it in about half of the cases.
    draw = random.Random(3)
    held = 0
    streams = 300
    samples = []
    for number in range(streams):
        for block in range(20):
            level = round(draw.gauss(1_000, 100))
            samples += [
                {"s": 300 * block + 60 * minute, "stream_id": f"{number}", "viewer_count": level} for minute in range(5)
            ]
    found = summarize(chat.minutes(chat_frame([]), viewers_frame(samples), moment_rows.NO_SCORES))
    for row in found.filter(pl.col("metric") == "avg_viewers").to_dicts():
        held += row["low"] <= 1_000 <= row["high"]
    assert 0.92 <= held / streams <= 0.98


def test_minutes_have_the_mean_of_what_they_hold():
    told = chat_frame([{"s": n, "sentiment": value} for n, value in enumerate([0.1, 0.3, None])] + [{"s": 70}])
    (row,) = minute_means(told, "sent_at", "sentiment").to_dicts()
    assert (row["window_start"].date(), row["n"], row["value"]) == (DAY, 2, pytest.approx(0.2))
    spread = math.sqrt(2 * 0.1**2) / math.sqrt(2)
    assert row["high"] - row["value"] > spread
    assert row["high"] - row["value"] == pytest.approx(row["value"] - row["low"])


def test_emotes_are_counted_by_use():
    told = chat_frame([{"s": 0, "emotes": ["b", "a", "b"]}, {"s": 1, "emotes": ["c", "a"]}, {"s": 2, "emotes": []}])
    assert emote_uses(told).select("emote", "uses").rows() == [("a", 2), ("b", 2), ("c", 1)]
