"""Streams, chat and viewer samples at the door."""

import json
from datetime import UTC, datetime

import pytest

from ingest.errors import InvalidSchema
from ingest.payloads import streams
from ingest.payloads.instants import Arrival

ARRIVAL = Arrival.at(datetime(2026, 3, 1, 12, tzinfo=UTC))
ACCEPT = {"stream": streams.accept_stream, "message": streams.accept_message, "sample": streams.accept_sample}


def accept(kind, **changes):
    return ACCEPT[kind](json.dumps(streams.EXAMPLES[kind] | changes).encode(), tenant="t", arrival=ARRIVAL)


def test_each_lands_with_what_places_it():
    stream, message, sample = (json.loads(accept(kind).record) for kind in ACCEPT)
    assert (stream["kind"], stream["stream_id"], stream["started_at"]) == ("stream", "s-1", 1_771_092_000_000)
    assert (message["kind"], message["message_id"], message["sent_at"]) == ("chat", "m-1", 1_771_092_000_000)
    assert (sample["kind"], sample["sampled_at"], sample["clock_suspect"]) == ("viewers", 1_771_092_000_000, False)
    assert all(
        record["body"] == streams.EXAMPLES[kind] for kind, record in zip(ACCEPT, (stream, message, sample), strict=True)
    )


def test_identities_tell_repeats():
    assert accept("message").identity == ("s-1", "m-1") == accept("message", message="other").identity
    assert accept("sample").identity != accept("sample", timestamp=5_000_000_000).identity


@pytest.mark.parametrize("kind", ["message", "sample"])
def test_a_clock_that_cannot_be_right_is_placed_by_arrival(kind):
    record = json.loads(accept(kind, timestamp="1999-01-01T00:00:00Z").record)
    assert record["clock_suspect"] is True
    assert record["sent_at" if kind == "message" else "sampled_at"] == ARRIVAL.ms


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("stream", {"stream_id": None}, "Missing required field: stream_id"),
        ("stream", {"stream_id": " "}, "stream_id must not be blank"),
        ("stream", {"is_live": "yes"}, "is_live must be true or false"),
        ("stream", {"started_at": "soon"}, "started_at must be epoch milliseconds or an ISO 8601 date and time"),
        ("message", {"message": None}, "Missing required field: message"),
        ("message", {"message": "x" * 4097}, "message must be at most 4096 characters"),
        ("message", {"emotes": ["a", 1]}, "emotes[1] must be a string"),
        ("message", {"emotes": "POG"}, "emotes must be an array"),
        ("message", {"emotes": [""]}, "emotes[0] must be not empty"),
        ("sample", {"viewer_count": -1}, "viewer_count must be at least 0"),
        ("sample", {"viewer_count": 1.5}, "viewer_count must be a whole number"),
        ("sample", {"timestamp": None}, "Missing required field: timestamp"),
    ],
)
def test_what_breaks_the_contract_is_refused_by_name(kind, change, message):
    with pytest.raises(InvalidSchema) as refused:
        accept(kind, **change)
    assert refused.value.message == message


def test_what_is_optional_may_be_null_and_unknown_keys_are_kept():
    for kind, names in (("stream", ("title", "started_at", "public")), ("message", ("username", "emotes"))):
        record = json.loads(accept(kind, own=[1], **dict.fromkeys(names)).record)
        assert record["body"]["own"] == [1]
