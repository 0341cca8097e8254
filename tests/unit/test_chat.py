"""Minutes of chat: counts, chatters, emotes by frequency, sentiment with coverage, viewers, scores."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.live_frames import START, chat_frame, viewers_frame
from warehouse.datasets import INSTANT
from warehouse.datasets.live import OUT_CHAT_MINUTE
from warehouse.metrics import chat
from warehouse.metrics.live_bins import Bin, bins, by_stream

NO_SCORES = pl.DataFrame(
    schema={"tenant": pl.String, "stream_id": pl.String, "at": INSTANT, "z_score": pl.Float64, "over": pl.Boolean}
)


def minute(rows, number=0):
    return rows.filter(window_start=START + timedelta(minutes=number)).row(0, named=True)


def test_a_minute_of_messages():
    written = chat_frame(
        [
            {"s": 0, "user_id": "a", "emotes": ["KEKW", "POG"], "sentiment": 0.5},
            {"s": 10, "user_id": "b", "emotes": ["POG", "POG"], "sentiment": -0.1},
            {"s": 59.999, "user_id": "a", "emotes": [], "sentiment": None},
            {"s": 60, "user_id": "a", "emotes": ["Kappa"], "sentiment": None},
        ]
    )
    rows = chat.minutes(written, viewers_frame([]), NO_SCORES)
    assert rows.schema == OUT_CHAT_MINUTE.schema()
    first, second = minute(rows), minute(rows, 1)
    assert (first["chat_count"], first["unique_chatters"]) == (3, 2)
    assert (first["top_emotes"], first["top_emote_counts"]) == (["POG", "KEKW"], [3, 1])
    assert first["avg_sentiment"] == pytest.approx(0.2)
    assert first["sentiment_coverage_ratio"] == pytest.approx(2 / 3)
    assert first["chat_rate"] == pytest.approx(3 / 60)
    assert first["window_end"] - first["window_start"] == timedelta(minutes=1)
    assert (second["chat_count"], second["avg_sentiment"], second["sentiment_coverage_ratio"]) == (1, None, 0.0)
    assert first["avg_viewers"] is None
    assert first["peak_viewers"] is None


def test_a_minute_with_viewers_and_no_chat_has_zero_messages():
    sampled = viewers_frame([{"s": s, "viewer_count": n} for s, n in ((0, 10), (30, 13), (200, 5))])
    rows = chat.minutes(chat_frame([]), sampled, NO_SCORES)
    assert rows.height == 2
    first = minute(rows)
    assert (first["chat_count"], first["unique_chatters"], first["chat_rate"]) == (0, 0, 0.0)
    assert (first["avg_viewers"], first["peak_viewers"], first["viewer_n"]) == (11.5, 13, 2)
    assert (first["top_emotes"], first["avg_sentiment"], first["sentiment_coverage_ratio"]) == ([], None, None)


def test_emotes_of_one_frequency_are_ordered_by_name_and_bounded():
    names = [f"e{number:02d}" for number in range(20)]
    rows = chat.minutes(chat_frame([{"emotes": names[::-1]}]), viewers_frame([]), NO_SCORES)
    assert minute(rows)["top_emotes"] == names[: chat.TOP_EMOTES]


def test_scores_belong_to_the_minute_in_which_their_window_ends():
    ends = [(30, 1.0, False), (60, 5.0, True), (65, 2.0, False)]
    scores = pl.DataFrame(
        [("t", "x", START + timedelta(seconds=s), z, over) for s, z, over in ends],
        schema=NO_SCORES.schema,
        orient="row",
    )
    rows = chat.minutes(chat_frame([{"s": 1}, {"s": 61}, {"s": 121}]), viewers_frame([]), scores)
    assert rows.select("z_score", "is_anomaly").rows() == [(5.0, True), (2.0, False), (None, False)]


def test_streams_and_tenants_are_apart():
    rows = chat.minutes(
        chat_frame([{"stream_id": "x"}, {"stream_id": "y"}, {"stream_id": "x", "tenant": "other"}]),
        viewers_frame([]),
        NO_SCORES,
    )
    assert rows.select("tenant", "stream_id", "chat_count").rows() == [("other", "x", 1), ("t", "x", 1), ("t", "y", 1)]


@settings(deadline=None)
@given(st.permutations(range(30)))
def test_no_order_of_messages_changes_a_minute(order):
    written = [
        {"s": n * 7, "user_id": f"u{n % 4}", "message_id": str(n), "ingest_id": "", "sentiment": (n % 5) / 7}
        for n in range(30)
    ]
    together = chat.minutes(chat_frame(written), viewers_frame([]), NO_SCORES)
    shuffled = chat.minutes(chat_frame([written[n] for n in order]), viewers_frame([]), NO_SCORES)
    assert_frame_equal(together, shuffled, check_exact=True)


def test_bins_hold_what_was_seen_in_five_seconds():
    start = int(START.timestamp())
    written = chat_frame([{"s": 4.9, "sentiment": 0.5}, {"s": 5, "sentiment": None}, {"s": 6, "sentiment": -0.25}])
    sampled = viewers_frame([{"s": 5, "viewer_count": 8}, {"s": 9, "viewer_count": 10}, {"s": 60, "viewer_count": 1}])
    ((stream, found),) = by_stream(bins(written, sampled))
    assert stream == ("t", "x")
    assert found == [Bin(start, 1, 1, 0.5, 0, 0), Bin(start + 5, 2, 1, -0.25, 2, 18), Bin(start + 60, 0, 0, 0.0, 1, 1)]
