"""JSON to columns: exact text, no failure that spreads."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.session_frames import raw_frame, raw_row
from warehouse.metrics import decoding
from warehouse.metrics.decoding import decode

DIMENSIONS = {"app_version": "appVersion", "cdn": "cdn"}


def decoded(*payloads, dimensions=DIMENSIONS):
    frame = raw_frame(raw_row(payload) for payload in payloads)
    return decode(frame.lazy(), dimensions).sort("ingest_id")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"1.2"', "1.2"),
        ('""', ""),
        ("null", None),
        ("7", "7"),
        ("1.10", "1.10"),
        ("1.0", "1.0"),
        ("1e3", "1e3"),
        ("-0.5", "-0.5"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ("false", "false"),
        ("[1, 2.50]", "[1,2.5]"),
        ('{"b": 1, "a": [true, null]}', '{"a":[true,null],"b":1}'),
        (r'"\u00e9 \ud83d\ude00"', "é 😀"),
    ],
)
def test_a_dimension_is_its_text(value, text):
    frame = decoded(f'{{"appVersion": {value}, "playTimeMs": 5}}', '{"appVersion": "other", "playTimeMs": 6}')
    assert frame["app_version"].to_list() == [text, "other"]
    assert frame["play_ms"].to_list() == [5, 6]
    assert frame["rule"].null_count() == 2


@pytest.mark.parametrize(
    "payload",
    [None, "", "nope", "null", "5", "[]", '"text"', '{"playTimeMs": 1', '{"playTimeMs": NaN}', '{"playTimeMs": 1} x',
     '{"cdn": [1, }', '{"cdn": ["\\ud800"]} {', "[" * 5000],
)  # fmt: skip
def test_an_unreadable_payload_costs_its_neighbours_nothing(payload):
    frame = decoded('{"playTimeMs": 1}', payload, '{"playTimeMs": 2, "cdn": {"a": 1}}', '{"playTimeMs": 3}')
    assert frame["rule"].to_list() == [None, "unreadable_payload", None, None]
    assert frame["detail"].is_null().to_list() == [True, False, True, True]
    assert frame["play_ms"].to_list() == [1, None, 2, 3]
    assert frame["cdn"].to_list() == [None, None, '{"a":1}', None]


@pytest.mark.parametrize("neighbours", [0, 1, 3])
@pytest.mark.parametrize("broken", [["{}, {}"], ['{"x": [{}', "{}]}"], ["{}, {}", "{}, {}"], [""], ["{}", "{},{}", ""]])
def test_payloads_never_run_into_each_other(broken, neighbours):
    sound = [{"playTimeMs": n} for n in range(neighbours)]
    frame = decoded(*sound, *broken, *sound)
    expected = [None] * neighbours + [None if p == "{}" else "unreadable_payload" for p in broken] + [None] * neighbours
    assert frame["rule"].to_list() == expected
    assert frame["play_ms"].to_list() == [*range(neighbours), *(None for _ in broken), *range(neighbours)]


@pytest.mark.parametrize("value", ['"5"', "true", "[5]", '{"ms": 5}'])
def test_a_measure_of_another_kind_is_a_wrong_type(value):
    frame = decoded('{"playTimeMs": 1}', f'{{"playTimeMs": {value}, "cdn": "a"}}')
    assert frame["rule"].to_list() == [None, "wrong_type"]
    assert frame["detail"][1].startswith("playTimeMs is not a number")


def test_a_text_field_that_is_an_object_is_a_wrong_type():
    assert decoded('{"contentId": {"id": 5}}', '{"contentId": "5"}')["rule"].to_list() == ["wrong_type", None]


def test_both_shapes_fill_the_same_columns_and_the_sdk_wins():
    frame = decoded(
        {"startupTimeMs": 1, "rebufferTimeMs": 2},
        {"playerStartupMs": 3, "rebufferTimeMs": 4},
        {"startupTimeMs": 5, "playerStartupMs": 6},
        {"startupTimeMs": None, "playerStartupMs": 7},
    )
    assert frame["startup_ms"].to_list() == [1, 3, 5, 7]
    assert frame["rebuffer_ms"].to_list() == [2, 4, None, None]


def test_a_typed_field_can_be_a_dimension_too():
    dimensions = {"title": "contentId", "stalls": "rebufferCount"}
    frame = decoded({"contentId": "c", "rebufferCount": 12}, dimensions=dimensions)
    assert frame.select("content_id", "title", "stalls").row(0) == ("c", "c", "12")


def test_no_rows_have_the_columns_of_many():
    assert decoded().schema == decoded({"playTimeMs": 1}).schema


def test_batches_are_decoded_apart(monkeypatch):
    monkeypatch.setattr(decoding, "BATCH_ROWS", 7)
    monkeypatch.setattr(decoding, "RETRY_ROWS", 2)
    frame = decoded(*("oops" if n % 10 == 3 else {"playTimeMs": n} for n in range(50)))
    assert frame["play_ms"].to_list() == [None if n % 10 == 3 else n for n in range(50)]


PLAIN = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(st.characters(exclude_categories=["Cs"]))
ANY_JSON = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner))


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={"cdn": ANY_JSON, "isLive": ANY_JSON, "x": ANY_JSON}), max_size=6))
def test_whatever_an_unknown_field_holds_every_row_is_read(bodies):
    frame = decoded(*bodies)
    expected = []
    for body in bodies:
        value = body.get("cdn")
        text = (
            value
            if value is None or isinstance(value, str)
            else json.dumps(value, sort_keys=True, separators=(",", ":"))
        )
        expected.append(text)
    assert frame["rule"].null_count() == len(bodies)
    assert frame["cdn"].to_list() == expected
    assert frame.schema["cdn"] == pl.String
