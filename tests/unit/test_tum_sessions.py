"""8,731 real YouTube playbacks (Sieber et al., IFIP Networking 2016), against an independent recomputation."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.session_frames import raw_frame, raw_row
from warehouse.datasets import RATIOS
from warehouse.metrics import histogram, qoe
from warehouse.metrics.sessions import build_core

SOURCE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tum-sessions.ndjson.gz"
DIMENSIONS = {"category": "videoCategory", "shaping": "shapingRateBps"}

pytestmark = pytest.mark.skipif(not SOURCE.exists(), reason="the TUM sessions are not beside the repository")


@pytest.fixture(scope="module")
def payloads():
    return [json.loads(line) for line in gzip.decompress(SOURCE.read_bytes()).splitlines()]


@pytest.fixture(scope="module")
def core(payloads):
    rows = []
    for payload in payloads:
        start = datetime.fromisoformat(payload["sessionStartDateIso"])
        sent = datetime.fromtimestamp(payload["timestamp"] / 1000, UTC)
        where = {"day": start.date(), "started_at": start, "sent_at": sent, "session_id": payload["sessionId"]}
        rows.append(raw_row(payload, **where))
    built = build_core(raw_frame(rows), DIMENSIONS)
    assert (built.quarantine.height, built.superseded) == (0, {})
    return built.core


@pytest.fixture(scope="module")
def out(core):
    return qoe.aggregate(core, DIMENSIONS)


def metric(rows, name):
    return qoe.summarize(rows).filter(metric=name).row(0, named=True)


def test_every_session_is_one_row(core, payloads):
    assert core.height == 8_731
    assert sorted(core["session_id"]) == sorted(payload["sessionId"] for payload in payloads)


def test_counts_by_day_content_and_type(out, payloads):
    expected = Counter((p["sessionStartDateIso"][:10], p["contentId"], p["streamType"]) for p in payloads)
    rows = out.filter(dimension="content").select("day", "content_id", "stream_type", "sessions").iter_rows()
    assert {(str(day), content, kind): n for day, content, kind, n in rows} == dict(expected)


def test_values_of_dimensions_are_text(core, payloads):
    assert Counter(core["shaping"]) == Counter(str(payload["shapingRateBps"]) for payload in payloads)
    assert Counter(core["category"]) == Counter(payload["videoCategory"] for payload in payloads)


def test_bitrate_is_weighted_by_play_time(out, payloads):
    bits, play = defaultdict(int), defaultdict(int)
    for p in payloads:
        bitrate, played = p["meanVideoFormatBitrate"], p["playTimeMs"]
        if bitrate is not None and bitrate > 0 and played is not None:
            for key in (None, p["videoCategory"]):
                bits[key] += bitrate * played
                play[key] += played
    assert len(bits) > 2
    for key in bits:
        rows = out.filter(dimension="category", value=key) if key else out.filter(dimension="content")
        assert rows["bitrate_bps_den_sum"].sum() == play[key]
        summary = metric(rows, "bitrate_bps")
        assert summary["value"] == pytest.approx(bits[key] / play[key], rel=1e-12)
        assert summary["low"] < summary["value"] < summary["high"]


def test_stalls_are_counted_and_their_unknown_time_is_no_zero(core, out, payloads):
    known = [p for p in payloads if p["rebufferCount"] is not None and p["playTimeMs"] is not None]
    content = out.filter(dimension="content")
    assert content["rebuffers_per_hour_num_sum"].sum() == sum(p["rebufferCount"] for p in known) > 0
    assert content["rebuffers_per_hour_n"].sum() == len(known)
    hours = sum(p["playTimeMs"] for p in known) / 3_600_000
    rate = metric(out, "rebuffers_per_hour")
    assert rate["value"] == pytest.approx(sum(p["rebufferCount"] for p in known) / hours, rel=1e-12)

    assert all(p["rebufferTimeMs"] is None for p in payloads)
    assert core["rebuffer_ms"].null_count() == core.height
    unknown = {"rebuffer_pct_play", "rebuffer_pct_cta", "wait_pct", "dropped_frames_per_min", "mean_seek_ms"}
    assert {ratio.name for ratio in RATIOS if content[f"{ratio.name}_n"].sum() == 0} == unknown


def test_what_was_not_measured_has_no_value(core, out):
    assert core["outcome"].null_count() == core.height
    summary = qoe.summarize(out)
    measured = set(summary.drop_nulls("value")["metric"])
    assert measured == {"rebuffers_per_hour", "bitrate_bps"}
    found = histogram.quantiles(histogram.aggregate(core, DIMENSIONS))
    assert found["n"].to_list() == [0, 0, 0, 0]
