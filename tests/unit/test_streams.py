"""Raw rows of live streams become core rows, once each, in whatever order they came."""

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.live_frames import DAY, START, at
from warehouse.datasets.live import CORE_CHAT, CORE_STREAMS, CORE_VIEWERS, RAW_CHAT, RAW_STREAMS, RAW_VIEWERS
from warehouse.metrics.sentiment import Sentiment
from warehouse.metrics.streams import build_chat, build_streams, build_viewers

SENTIMENT = Sentiment()


def frame(dataset, *rows):
    given_ = {"day": DAY, "tenant": "t", "stream_id": "x", "received_at": START, "clock_suspect": False}
    made = []
    for number, row in enumerate(rows):
        full = given_ | {"ingest_id": f"{number:03d}"} | row
        made.append({name: full.get(name) for name in dataset.columns} | {"payload": json.dumps(full["payload"])})
    return pl.DataFrame(made, schema=dataset.schema(), orient="row")


def message(message_id, text, **columns):
    payload = {"user_id": "u", "message": text, "emotes": None, "own": {"deep": [1]}}
    return {"message_id": message_id, "sent_at": START, "payload": payload} | columns


def test_messages_are_typed_scored_and_counted_once():
    rows = [message("a", "great"), message("a", "great"), message("b", "xyzzy"), message("c", "x", refused="bad")]
    core = build_chat(frame(RAW_CHAT, *rows), SENTIMENT)
    assert core.schema == CORE_CHAT.schema()
    assert core["message_id"].to_list() == ["a", "b"]
    assert core["emotes"].to_list() == [[], []]
    assert core["sentiment"].to_list() == [SENTIMENT.of("great"), None]
    assert core["ingest_id"].to_list() == ["001", "002"]


def test_the_newest_of_equal_keys_counts():
    samples = [
        {"sampled_at": START, "received_at": at(seconds), "payload": {"viewer_count": count}}
        for seconds, count in ((5, 50), (9, 90), (1, 10))
    ]
    viewers = build_viewers(frame(RAW_VIEWERS, *samples))
    assert viewers.schema == CORE_VIEWERS.schema()
    assert viewers["viewer_count"].to_list() == [90]

    told = [
        {"received_at": at(9), "payload": {"title": "new", "is_live": None}},
        {"received_at": at(5), "started_at": START, "payload": {"title": "old", "is_live": True, "public": True}},
    ]
    streams = build_streams(frame(RAW_STREAMS, *told))
    assert streams.schema == CORE_STREAMS.schema()
    assert streams.select("title", "is_live", "public", "started_at").rows() == [("new", False, False, None)]


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(8)))
def test_no_order_of_arrival_in_the_lake_changes_core(order):
    rows = [message(f"m{number % 5}", f"text {number}", received_at=at(number)) for number in range(8)]
    raw = frame(RAW_CHAT, *rows)
    assert_frame_equal(build_chat(raw, SENTIMENT), build_chat(raw[list(order)], SENTIMENT))
