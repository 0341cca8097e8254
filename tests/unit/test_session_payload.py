"""The contract of a session body: the corpus, the identity and placement of what is accepted, and no surprises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InvalidSchema
from ingest.payloads import session, strict
from tests.payloads import Case, cases

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
SDK: dict[str, Any] = {
    "sessionId": "s-1",
    "sessionStartDateIso": "2026-02-14T10:30:00.000Z",
    "sessionDurationMs": 45_000,
}
START_MS = 1_771_065_000_000


def accepted(body: dict[str, Any] | bytes, tenant: str = "acme") -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    record: dict[str, Any] = json.loads(session.accept(raw, tenant=tenant, now=NOW).record)
    return record


@pytest.mark.parametrize("case", cases("sessions_valid"), ids=lambda case: case.name)
def test_valid_body_is_kept_byte_for_byte(case: Case) -> None:
    taken = session.accept(case.body, tenant="acme", now=NOW)
    assert taken.record.endswith(b'"body":' + case.body + b"}")
    record = json.loads(taken.record)
    assert record["body"] == json.loads(case.body)
    assert record["session_id"] == str(taken.session_id)
    assert taken.session_id == record["body"]["sessionId"]
    assert (record["identity_at"] is None) == isinstance(taken.session_id, str)


@pytest.mark.parametrize("case", cases("sessions_invalid"), ids=lambda case: case.name)
def test_invalid_body_is_refused_by_name(case: Case) -> None:
    with pytest.raises(InvalidSchema) as refused:
        session.accept(case.body, tenant="acme", now=NOW)
    assert case.message in refused.value.message
    assert len(refused.value.message) < 200
    assert refused.value.message.isprintable()


def test_sdk_shape_is_placed_by_its_start() -> None:
    record = accepted(SDK)
    assert record["started_at"] == START_MS
    assert record["sent_at"] == START_MS + 45_000
    assert record["identity_at"] is None
    assert record["received_at"] == NOW_MS * 1000
    assert not record["clock_suspect"]


def test_timestamp_says_when_it_was_sent() -> None:
    assert accepted(SDK | {"timestamp": START_MS + 99})["sent_at"] == START_MS + 99


def test_legacy_shape_is_placed_by_its_timestamp() -> None:
    record = accepted({"sessionId": "s", "timestamp": START_MS})
    assert (record["started_at"], record["sent_at"]) == (START_MS, START_MS)


def test_identity_of_a_numeric_id_includes_the_claimed_start() -> None:
    assert accepted(SDK | {"sessionId": 1})["identity_at"] == START_MS
    assert accepted(SDK | {"sessionId": 1, "sessionStartDateIso": "1999-01-01"})["identity_at"] == 915_148_800_000
    assert accepted({"sessionId": 1, "timestamp": 5})["identity_at"] == 5


@pytest.mark.parametrize(
    ("start", "suspect"),
    [
        ("2004-12-31T23:59:59.999Z", True),
        ("2005-01-01T00:00:00Z", False),
        ("2026-03-02T12:00:00Z", False),
        ("2026-03-02T12:00:00.001Z", True),
        ("0001-01-01T00:00:00Z", True),
        ("9999-12-31T23:59:59Z", True),
    ],
)
def test_impossible_clock_is_placed_by_arrival(start: str, suspect: bool) -> None:
    record = accepted(SDK | {"sessionStartDateIso": start})
    assert record["clock_suspect"] is suspect
    assert (record["started_at"] == NOW_MS) is suspect


@pytest.mark.parametrize("start", ["2026-02-14T10:30:00", "2026-02-14T11:30:00+01:00", "2026-02-14 10:30Z"])
def test_start_without_offset_is_utc(start: str) -> None:
    assert accepted(SDK | {"sessionStartDateIso": start})["started_at"] == START_MS


def test_tenant_is_quoted() -> None:
    assert accepted(SDK, tenant='a"b\\')["tenant"] == 'a"b\\'


def test_ingest_ids_grow() -> None:
    ids = [accepted(SDK)["ingest_id"] for _ in range(1000)]
    assert ids == sorted(set(ids))


def _duplicates(text: str) -> bool:
    found = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found |= len({key for key, _ in pairs}) != len(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=unique)
    return found


KEYS = st.sampled_from(["a", "b", "a:b", ":", "", "ü", 'q"', "\\"])
LEAVES = st.one_of(st.sampled_from(["", ":", "::a", 'x"', "é:"]), st.integers(-3, 3), st.just(None), st.booleans())


def _document(pairs: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"


VALUES = st.recursive(
    LEAVES.map(lambda leaf: json.dumps(leaf, ensure_ascii=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(_document),
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=5).map(_document))
def test_duplicate_keys_are_found_exactly(text: str) -> None:
    if _duplicates(text):
        with pytest.raises(InvalidSchema, match="Duplicate key"):
            strict.decode(text.encode())
    else:
        assert strict.decode(text.encode()) == json.loads(text)


@given(st.data())
def test_mutated_bodies_are_taken_or_refused(data: st.DataObject) -> None:
    body = bytearray(data.draw(st.sampled_from(cases("sessions_valid"))).body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        record = session.accept(bytes(body), tenant="acme", now=NOW).record
    except InvalidSchema:
        return
    assert json.loads(record)["body"] == json.loads(bytes(body))
