"""Raw to core: rules, the newest send, cleaning."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.session_frames import DAY, START, raw_frame, raw_row
from warehouse.datasets import CORE_SESSIONS, CORE_SESSIONS_QUARANTINE, RAW_SESSIONS
from warehouse.metrics.sessions import FIELDS, build_core

DIMENSIONS = {"app_version": "appVersion"}
SDK = {
    "sessionId": 1, "sessionStartDateIso": "2026-03-01T12:00:00Z", "sessionDurationMs": 45000, "startupTimeMs": 450,
    "rebufferTimeMs": 1200, "rebufferCount": 2, "playTimeMs": 42000, "rebufferRatio": 0.028, "totalDroppedFrames": 12,
    "totalSeekCount": 1, "totalSeekTimeMs": 300, "meanVideoFormatBitrate": 2500000, "errorCount": 0,
    "contentId": "c", "streamType": "hls", "userId": "u", "deviceId": "d", "appVersion": "1.2",
}  # fmt: skip
LEGACY = {
    "sessionId": "sess_12345", "timestamp": 1698402000000, "contentId": "media_xyz", "streamType": "dash",
    "playerStartupMs": 1200, "rebufferTimeMs": 0, "rebufferCount": 0, "errorCount": 0, "payload": "{\"custom\":1}",
}  # fmt: skip


def build(*rows):
    return build_core(raw_frame(rows), DIMENSIONS)


def core_row(payload):
    return build(raw_row(payload)).core.row(0, named=True)


def test_fields_are_columns_of_core_in_its_order():
    names = [field.column for field in FIELDS]
    assert names == [name for name in CORE_SESSIONS.columns if name in names]
    assert {field.column: field.dtype for field in FIELDS} == {n: CORE_SESSIONS.columns[n][0] for n in names}


def test_the_sdk_shape():
    row = core_row(SDK)
    assert {field.column: row[field.column] for field in FIELDS} == {
        "content_id": "c", "stream_type": "hls", "user_id": "u", "device_id": "d", "duration_ms": 45000,
        "startup_ms": 450, "play_ms": 42000, "rebuffer_ms": 1200, "rebuffer_count": 2, "rebuffer_ratio_media3": 0.028,
        "seek_ms": 300, "seek_count": 1, "dropped_frames": 12, "bitrate_bps": 2500000, "error_count": 0,
    }  # fmt: skip
    assert (row["outcome"], row["app_version"]) == ("played", "1.2")


def test_the_legacy_shape():
    row = core_row(LEGACY)
    measured = {field.column: row[field.column] for field in FIELDS if row[field.column] is not None}
    assert measured == {
        "content_id": "media_xyz", "stream_type": "dash", "startup_ms": 1200, "rebuffer_ms": 0, "rebuffer_count": 0,
        "error_count": 0,
    }  # fmt: skip
    assert (row["outcome"], row["app_version"]) == ("played", None)


def test_nothing_measured_is_null_and_never_zero():
    row = core_row(SDK | {"meanVideoFormatBitrate": -1, "rebufferRatio": 0.0, "playTimeMs": None})
    assert (row["bitrate_bps"], row["rebuffer_ratio_media3"], row["play_ms"]) == (None, None, None)
    assert core_row(SDK | {"playTimeMs": 0, "rebufferRatio": 0.0})["rebuffer_ratio_media3"] is None
    assert core_row(SDK | {"rebufferRatio": 0.0})["rebuffer_ratio_media3"] == 0.0
    assert core_row(SDK | {"meanVideoFormatBitrate": 0})["bitrate_bps"] is None
    assert core_row(SDK | {"rebufferTimeMs": None})["rebuffer_ms"] is None


def test_stalls_without_time_are_legal():
    row = core_row(SDK | {"rebufferCount": 3, "rebufferTimeMs": 0})
    assert (row["rebuffer_count"], row["rebuffer_ms"]) == (3, 0)


@pytest.mark.parametrize(
    ("change", "rule", "detail"),
    [
        ({"playTimeMs": 1.5}, "wrong_type", "playTimeMs is 1.5"),
        ({"playTimeMs": "1"}, "wrong_type", "playTimeMs is not a number: '1'"),
        ({"playTimeMs": -1}, "out_of_range", "playTimeMs is -1.0"),
        ({"rebufferCount": 2**31}, "out_of_range", "rebufferCount is 2147483648.0"),
        ({"sessionDurationMs": 0}, "out_of_range", "sessionDurationMs is 0.0"),
        ({"meanVideoFormatBitrate": -2}, "out_of_range", "meanVideoFormatBitrate is -2.0"),
        ({"rebufferRatio": 1.01}, "out_of_range", "rebufferRatio is 1.01"),
        ({"streamType": "x" * 17}, "out_of_range", "streamType is xxxxxxxxxxxxxxxxx"),
    ],
)
def test_an_unsound_value_is_quarantined_with_its_rule(change, rule, detail):
    built = build(raw_row(SDK | change, ingest_id="bad", session_id="x"), raw_row(SDK))
    assert built.core.height == 1
    assert built.quarantine.rows() == [(DAY, "t", "bad", START, "x", rule, detail)]


def test_what_postgres_refused_is_quarantined_with_its_reason():
    built = build(raw_row(SDK, refused="no such partition"), raw_row("nope", refused="bad JSON"), raw_row("nope"))
    assert built.quarantine["rule"].to_list() == ["refused_by_postgres", "refused_by_postgres", "unreadable_payload"]
    assert built.quarantine["detail"].to_list()[:2] == ["no such partition", "bad JSON"]


def test_schemas_are_exact_also_of_nothing():
    for built in (build(), build(raw_row(SDK)), build(raw_row("nope"))):
        assert built.core.schema == CORE_SESSIONS.schema(DIMENSIONS)
        assert built.quarantine.schema == CORE_SESSIONS_QUARANTINE.schema()


def test_a_quarantined_send_replaces_nothing():
    late = START + timedelta(hours=1)
    built = build(raw_row(SDK, session_id="s"), raw_row("nope", session_id="s", sent_at=late, received_at=late))
    assert (built.core.height, built.quarantine.height, built.superseded) == (1, 1, {})


def test_devices_that_count_from_one_stay_apart():
    starts = [START, START + timedelta(seconds=1)]
    built = build(*(raw_row(SDK, session_id="1", identity_at=start) for start in starts))
    assert built.core.height == 2


def test_tenants_and_days_stay_apart():
    rows = [raw_row(SDK, session_id="s", tenant=t, day=DAY + timedelta(days=d)) for t in "ab" for d in (0, 1)]
    assert build(*rows, *rows[:1], *rows[:1]).superseded == {DAY: 2}


SENDS = st.lists(
    st.builds(
        raw_row,
        st.integers(0, 5).map(lambda ms: SDK | {"playTimeMs": ms}) | st.just("nope"),
        session_id=st.sampled_from(["a", "1"]),
        identity_at=st.sampled_from([None, START]),
        tenant=st.sampled_from(["t", "u"]),
        day=st.sampled_from([DAY, date(2026, 3, 2)]),
        sent_at=st.integers(0, 2).map(lambda s: START + timedelta(seconds=s)),
        received_at=st.integers(0, 2).map(lambda s: START + timedelta(seconds=s)),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(SENDS, st.randoms())
def test_the_newest_send_wins_whatever_the_order(rows, random):
    built = build(*rows)
    newest = {}
    for row in rows:
        if row["payload"] != "nope":
            key = tuple(row[name] for name in ("day", "tenant", "session_id", "identity_at"))
            newest[key] = max(newest.get(key, row), row, key=lambda r: (r["sent_at"], r["received_at"], r["ingest_id"]))
    assert sorted(built.core["ingest_id"]) == sorted(row["ingest_id"] for row in newest.values())
    assert built.core.height + built.quarantine.height + sum(built.superseded.values()) == len(rows)

    again = build(*random.sample(rows, len(rows)))
    assert_frame_equal(again.core, built.core)
    assert_frame_equal(again.quarantine, built.quarantine)
    assert again.superseded == built.superseded


@settings(deadline=None)
@given(SENDS)
def test_days_built_together_and_alone_are_equal(rows):
    together = build(*rows).core
    alone = [build(*(row for row in rows if row["day"] == day)).core for day in sorted({row["day"] for row in rows})]
    assert_frame_equal(pl.concat(alone) if alone else together, together)


def test_a_scan_builds_what_a_frame_builds(tmp_path):
    raw = raw_frame([raw_row(SDK | {"appVersion": 1.0}), raw_row(LEGACY), raw_row("nope")])
    raw.write_parquet(tmp_path / "raw.parquet")
    built = build_core(pl.scan_parquet(tmp_path / "raw.parquet", schema=RAW_SESSIONS.schema()), DIMENSIONS)
    assert_frame_equal(built.core, build_core(raw, DIMENSIONS).core)
    assert built.core["app_version"].to_list() == ["1.0", None]
