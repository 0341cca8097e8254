"""Player events at the door: what is taken, what is refused and how that is said, EPAS beacons as our events."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import InvalidSchema, PayloadTooLarge
from ingest.payloads import epas, events, listed
from ingest.payloads.instants import Arrival, milliseconds
from tests.unit.real_data import FOLDER, needs
from warehouse.datasets.events import DATA_COLUMNS, EVENT_TYPES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARRIVAL = Arrival.at(NOW)
GOOD = events.EXAMPLE


def accept(plain):
    return events.accept(json.dumps(plain).encode(), tenant="t", arrival=ARRIVAL)


def record(plain):
    return json.loads(accept(plain).record)


def test_an_event_lands_byte_for_byte():
    body = b'{"eventId": "e", "sessionId":"s", "videoId":"v", "type":"pause", "timestamp": 1771065000000, "x": 1.50}'
    accepted = events.accept(body, tenant="t", arrival=ARRIVAL)
    assert accepted.record.endswith(b'"body":' + body + b"}")
    landed = json.loads(accepted.record)
    assert (landed["kind"], landed["tenant"], landed["session_id"], landed["event_id"]) == ("event", "t", "s", "e")
    assert landed["occurred_at"] == landed["started_at"] == 1_771_065_000_000
    assert landed["clock_suspect"] is False
    assert accepted.identity == ("s", "e")


@pytest.mark.parametrize(("claimed", "suspect"), [(1, True), (1_104_537_600_000, False), (1_800_000_000_000, True)])
def test_a_clock_that_cannot_be_right_places_the_session_by_arrival(claimed, suspect):
    landed = record(GOOD | {"timestamp": claimed})
    assert (landed["clock_suspect"], landed["occurred_at"]) == (suspect, claimed)
    assert landed["started_at"] == (ARRIVAL.ms if suspect else claimed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eventId": None}, "Missing required field: eventId"),
        ({"sessionId": ""}, "sessionId must be not empty"),
        ({"sessionId": "  "}, "sessionId must not be blank"),
        ({"videoId": "v" * 257}, "videoId must be at most 256 characters"),
        ({"sessionId": 7}, "sessionId must be a string"),
        ({"type": "jump"}, "type is not one of the known values"),
        ({"timestamp": True}, "timestamp must be epoch milliseconds or an ISO 8601 date and time"),
        ({"timestamp": "yesterday"}, "timestamp must be epoch milliseconds or an ISO 8601 date and time"),
        ({"timestamp": -1}, "timestamp must be between 1970 and 9999"),
        ({"timestamp": 1e300}, "timestamp must be between 1970 and 9999"),
        ({"data": []}, "data must be an object"),
        ({"data": {"position": -1}}, "data.position must be at least 0"),
        ({"data": {"from": "x"}}, "data.from must be a number"),
        ({"data": {"playing": 1}}, "data.playing must be true or false"),
        ({"data": {"kind": "odd"}}, "data.kind is not one of the known values"),
        ({"data": {"code": 1.5}}, "data.code must be a whole number or a string"),
        ({"data": {"message": "a\0b"}}, "data.message must not contain U+0000"),
    ],
)
def test_what_breaks_the_contract_is_refused_by_name(change, message):
    with pytest.raises(InvalidSchema) as refused:
        accept(GOOD | change)
    assert refused.value.message == message


def test_nulls_and_unknown_keys_are_normal():
    nulls = {key: None for key, _, _ in DATA_COLUMNS.values()}
    for data in (None, {}, nulls, {"own": {"deep": [1]}}):
        assert record(GOOD | {"userId": None, "data": data, "own": 1})["body"]["data"] == data


def test_the_contract_names_the_types_and_keys_of_the_tables():
    for kind in EVENT_TYPES:
        accept(GOOD | {"type": kind})
    assert {field.encode_name for field in msgspec.structs.fields(events.EventData)} == {
        key for key, _, _ in DATA_COLUMNS.values()
    }


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_iso_and_milliseconds_are_the_same_time(moment):
    ms = milliseconds(moment.isoformat(), "t")
    assert ms == milliseconds(moment.replace(tzinfo=None).isoformat(), "t") == milliseconds(ms, "t")
    assert ms == milliseconds(ms + 0.5, "t")


def test_a_batch_keeps_its_good_items_and_names_the_bad_ones():
    bad = GOOD | {"type": "jump"}
    body = json.dumps({"events": [GOOD, bad, GOOD, 7, GOOD | {"eventId": "other"}]}).encode()
    verdict = listed.judge(listed.items(body, "events"), lambda item: events.accept(item, tenant="t", arrival=ARRIVAL))
    assert [json.loads(found)["event_id"] for found in verdict.records] == ["7d1f", "7d1f", "other"]
    assert verdict.duplicates == 1
    assert [(refusal.index, refusal.code) for refusal in verdict.rejected] == [
        (1, "INVALID_SCHEMA"),
        (3, "INVALID_SCHEMA"),
    ]
    assert verdict.rejected[0].message == "type is not one of the known values"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Body is not valid JSON"),
        (b"[]", "Body must be a JSON object"),
        (b"{}", "Missing required field: events"),
        (b'{"events": {}}', "events must be an array"),
        (b'{"events": [}', "Body is not valid JSON"),
    ],
)
def test_a_body_that_holds_no_list_is_refused(body, message):
    with pytest.raises(InvalidSchema) as refused:
        listed.items(body, "events")
    assert refused.value.message == message


def test_a_list_and_an_item_are_bounded():
    with pytest.raises(PayloadTooLarge):
        listed.items(b'{"events": [' + b"1," * listed.MAX_ITEMS + b"1]}", "events")
    big = json.dumps(GOOD | {"data": {"own": "x" * listed.MAX_ITEM_BYTES}}).encode()
    verdict = listed.judge([big], lambda item: events.accept(item, tenant="t", arrival=ARRIVAL))
    assert verdict.rejected[0].code == "PAYLOAD_TOO_LARGE"


def beacon(event, payload=None, **changes):
    plain = {"event": event, "sessionId": "s", "timestamp": 1_771_065_000_000, "playhead": 12_500, "duration": 60_000}
    told = plain | changes | ({} if payload is None else {"payload": payload})
    return json.loads(epas.accept(json.dumps(told).encode(), tenant="t", arrival=ARRIVAL).record)


@needs("epas")
def test_beacons_are_taken_and_refused_as_labelled():
    labelled = json.loads((FOLDER / "epas" / "events.json").read_text())
    assert (len(labelled["valid"]), len(labelled["invalid"])) == (15, 16)
    for plain in labelled["valid"]:
        accepted = epas.accept(json.dumps(plain).encode(), tenant="t", arrival=ARRIVAL)
        assert json.loads(accepted.record)["body"]["epas"] == plain
    for plain in labelled["invalid"]:
        with pytest.raises(InvalidSchema):
            epas.accept(json.dumps(plain).encode(), tenant="t", arrival=ARRIVAL)


@pytest.mark.parametrize(
    ("event", "payload", "kind", "data"),
    [
        ("init", None, "load", {}),
        ("loading", None, "load", {}),
        ("loaded", None, "ready", {}),
        ("playing", None, "play", {}),
        ("paused", None, "pause", {}),
        ("buffering", None, "buffer_start", {}),
        ("buffered", None, "buffer_end", {}),
        ("seeking", None, "seek", {"from": 12.5, "phase": "start"}),
        ("seeked", None, "seek", {"to": 12.5, "phase": "end"}),
        (
            "bitrate_changed",
            {"bitrate": 300, "width": 640, "height": 360},
            "quality_change",
            {"bitrate_bps": 300_000.0},
        ),
        ("stopped", {"reason": "ended"}, "complete", {}),
        ("stopped", {"reason": "aborted"}, "pause", {}),
        ("heartbeat", None, "heartbeat", {}),
        ("error", {"code": "7", "category": "NETWORK"}, "error", {"code": "7", "fatal": True}),
        ("warning", {"code": "7"}, "error", {"code": "7", "fatal": False}),
    ],
)
def test_a_beacon_becomes_an_event_of_ours(event, payload, kind, data):
    body = beacon(event, payload)["body"]
    assert body["type"] == kind
    assert body["data"].items() >= ({"position": 12.5, "duration": 60.0} | data).items()
    accept(body | {"videoId": "v"})


def test_what_metadata_tells_holds_for_the_session_and_has_no_time():
    landed = beacon("metadata", {"contentId": "c", "userId": "", "live": True, "own": 1})
    assert (landed["body"]["videoId"], landed["body"]["userId"], landed["body"]["data"]["live"]) == ("c", None, True)
    assert landed["occurred_at"] is None


def test_an_unknown_time_is_placed_by_arrival_and_no_wrong_clock():
    landed = beacon("init", timestamp=-1, playhead=-1, duration=-1)
    assert (landed["occurred_at"], landed["started_at"], landed["clock_suspect"]) == (None, ARRIVAL.ms, False)
    assert landed["body"]["data"] == {}
    assert beacon("playing", timestamp=0)["clock_suspect"] is True


def test_equal_beacons_are_one_event_and_others_are_not():
    assert beacon("playing")["event_id"] == beacon("playing")["event_id"] != beacon("paused")["event_id"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": "error"}, "Missing required field: payload"),
        ({"event": "error", "payload": {}}, "Missing required field: payload.code"),
        ({"event": "bitrate_changed", "payload": {"bitrate": "1"}}, "payload.bitrate must be a number"),
        ({"event": "playing", "own": 1}, "Unknown field: own"),
        ({"event": "playing", "sessionId": 1}, "sessionId must be a string"),
    ],
)
def test_a_beacon_that_breaks_the_specification_is_refused_by_name(change, message):
    with pytest.raises(InvalidSchema) as refused:
        beacon(**({"event": "x"} | change))
    assert refused.value.message == message
