"""CMCD: keys, logs and what sessions make of them, beside what Media3 and real players sent."""

import json
import re
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import InvalidSchema
from ingest.payloads import cmcd as payload
from ingest.payloads.instants import Arrival
from tests.unit.real_data import FOLDER, needs
from warehouse.datasets.cmcd import CORE_CMCD, OUT_CMCD_SESSIONS, RAW_CMCD
from warehouse.metrics import cmcd, cmcd_keys, cmcd_logs
from warehouse.metrics.cmcd_keys import CmcdError
from warehouse.metrics.cmcd_logs import Request, Unread

ARRIVAL = Arrival.at(datetime(2026, 3, 1, 12, tzinfo=UTC))


def raw(requests, log="log"):
    """Raw rows of requests, by way of the record that they land as."""
    rows = []
    for request in requests:
        record = json.loads(payload.accept(request, log=log, tenant="t", arrival=ARRIVAL).record)
        at = record["occurred_at"]
        rows.append(
            {name: record.get(name) for name in ("tenant", "session_id", "request_id", "number", "ingest_id")}
            | {"day": date(2026, 3, 1), "received_at": datetime(2026, 3, 1, 12, tzinfo=UTC), "refused": None}
            | {"occurred_at": at and datetime.fromtimestamp(at / 1000, UTC), "payload": json.dumps(record["body"])}
        )
    return pl.DataFrame(rows, schema=RAW_CMCD.schema())


def one_session(*strings):
    requests = [Request(number, cmcd_keys.parse(f'sid="s",{text}')) for number, text in enumerate(strings, 1)]
    return cmcd.sessions(cmcd.build_core(raw(requests))).row(0, named=True)


def read(name):
    with (FOLDER / "cmcd" / name).open(encoding="utf-8") as file:
        return list(cmcd_logs.read(file))


def test_values_have_the_type_of_their_key():
    assert cmcd_keys.parse(
        'br=3200,bs,nor="..%2Fa.m4v",pr=1.08,ot=v,su,com.example-own=500,com.example-text="a, \\"b\\""'
    ) == {
        "br": 3200.0,
        "bs": True,
        "nor": "..%2Fa.m4v",
        "pr": 1.08,
        "ot": "v",
        "su": True,
        "com.example-own": 500.0,
        "com.example-text": 'a, "b"',
    }
    assert cmcd_keys.parse("") == {}
    assert cmcd_keys.parse("bs=?0,v=2,br=(5000;v 128;a),ltc=1200") == {"bs": False, "v": 2, "br": 5000, "ltc": 1200}


@pytest.mark.parametrize("text", ["br=fast", 'br="3200"', "su=1", "ot", "br=1 2", 'sid="open', "=5", "br=nan", "br=()"])
def test_what_is_no_cmcd_is_refused(text):
    with pytest.raises(CmcdError):
        cmcd_keys.parse(text)


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@settings(deadline=None)
@given(
    st.fixed_dictionaries({}, optional={"sid": _TEXT, "cid": _TEXT, "br": st.integers(0, 10**6), "bs": st.just(True)})
)
def test_what_is_spelled_is_read(keys):
    spelled = {True: lambda _: "", False: lambda value: f"={json.dumps(value, ensure_ascii=False)}"}
    text = ",".join(name + spelled[value is True](value) for name, value in keys.items())
    assert cmcd_keys.parse(text) == keys


@needs("cmcd")
def test_media3_says_the_same_in_headers_and_query():
    expected = json.loads((FOLDER / "cmcd" / "media3_expected.json").read_text())
    given_, query = expected["input"], expected["query"]
    keys = cmcd_keys.parse(query)
    assert cmcd_keys.from_headers(expected["headers"]) == keys
    assert (keys["br"] * 1000, keys["tb"] * 1000) == (given_["peakBitrate"], given_["topBitrate"])
    assert keys["mtp"] * 1000 == given_["bitrateEstimate"]
    assert (keys["d"], keys["pr"]) == (given_["chunkDurationUs"] / 1000, given_["playbackRate"])
    assert keys["bl"] == round(given_["bufferedDurationUs"] / 100_000) * 100
    assert (keys["st"] == "l", keys["bs"]) == (given_["isLive"], given_["didRebuffer"])
    assert (keys["sid"], keys["cid"], keys["sf"], keys["ot"], keys["su"]) == ("sessionId", "mediaId", "d", "a", True)
    assert keys.keys() == {pair.partition("=")[0] for pair in query.split(",")}
    row = one_session(query)
    assert (row["bitrate_bps"], row["top_bitrate_bps"], row["rebuffer_count"], row["stream_kind"]) == (
        840_000,
        1_000_000,
        1,
        "l",
    )


@needs("cmcd")
@pytest.mark.parametrize(
    ("name", "requests", "unread"),
    [
        ("cmcd-bitmovin-headers.log", 373, 2),
        ("cmcd-bitmovin-url.log", 375, 2),
        ("cmcd-data-samples-header.txt", 20, 0),
        ("cmcd-data-samples-queries.txt", 20, 0),
        ("cmcd-data-samples-json.txt", 9, 0),
    ],
)
def test_real_logs_are_read_whole(name, requests, unread):
    entries = read(name)
    read_ = [entry for entry in entries if isinstance(entry, Request)]
    assert (len(read_), len(entries) - len(read_)) == (requests, unread)
    text = (FOLDER / "cmcd" / name).read_text(encoding="utf-8")
    assert {entry.reason for entry in entries if isinstance(entry, Unread)} <= {"no CMCD in it"}
    if name.endswith("json.txt"):
        assert [entry.keys for entry in read_] == [json.loads(line) for line in text.splitlines()]
        return
    # Each key stands as often in the text as it was read, counted without the parser.
    spelled = text.replace("%2C", ",").replace("%3D", "=")
    for key in ("bl", "br", "mtp", "sid", "st", "tb"):
        assert sum(key in entry.keys for entry in read_) == len(re.findall(rf"[,=' ]{key}=", spelled))


@needs("cmcd")
def test_urls_are_read_as_any_parser_of_queries_reads_them():
    lines = (FOLDER / "cmcd" / "cmcd-data-samples-queries.txt").read_text().split()
    for line, entry in zip(lines, read("cmcd-data-samples-queries.txt"), strict=True):
        (decoded,) = parse_qs(urlsplit(line).query)["CMCD"]
        assert entry.keys == cmcd_keys.parse(decoded)
        assert set(entry.keys) == {pair.partition("=")[0] for pair in decoded.split(",")}


@needs("cmcd")
def test_the_quality_of_a_real_session():
    entries = read("cmcd-data-samples-queries.txt")
    (row,) = cmcd.sessions(cmcd.build_core(raw(entries))).iter_rows(named=True)
    video = [entry.keys for entry in entries if entry.keys.get("ot") == "v"]
    media = [entry.keys for entry in entries if entry.keys.get("ot") in {"v", "a"}]
    weighted = sum(keys["br"] * keys["d"] for keys in video) / sum(keys["d"] for keys in video)
    assert row["session_id"] == "b248658d-1d1a-4039-91d0-8c08ba597da5"
    assert (row["requests_n"], row["media_requests_n"], row["media_ms"]) == (20, len(media), 48_000)
    assert row["bitrate_bps"] == round(weighted * 1000)
    assert row["buffer_ms_mean"] == pytest.approx(sum(keys["bl"] for keys in media) / len(media))
    assert row["urgent_requests_n"] == sum("su" in entry.keys for entry in entries)
    assert (row["rebuffer_count"], row["rebuffer_ms"], row["startup_ms"]) == (0, None, None)


def test_audio_and_video_tell_of_one_stall_each_for_itself():
    row = one_session("ot=v", "ot=a", "ot=v,bs", "ot=a,bs", "ot=v,bs", "ot=v", "ot=v,bs", "ot=a")
    assert (row["starved_requests_n"], row["rebuffer_count"]) == (4, 2)


def test_version_2_tells_times_and_frames():
    row = one_session("v=2,msd=740,ot=v,bsd=1200,dfa=3", "v=2,ot=v,bs,bsd=300,dfa=9")
    assert (row["startup_ms"], row["rebuffer_ms"], row["dropped_frames"]) == (740, 1_500, 9)


def test_only_video_counts_where_there_is_any():
    row = one_session("ot=a,br=64,tb=64,d=4000", "ot=v,br=1000,tb=4000,d=4000", "ot=av,br=2000,tb=4000,d=4000", "ot=m")
    assert (row["bitrate_bps"], row["media_ms"], row["bitrate_share_ratio"]) == (1_500_000, 8_000, 0.375)
    assert one_session("ot=a,br=64", "ot=a,br=96")["bitrate_bps"] == 80_000
    assert one_session("ot=m")["bitrate_bps"] is None


def test_a_log_loaded_twice_is_one_and_requests_without_sid_are_no_session():
    requests = [Request(1, {"ot": "v", "sid": "s"}), Request(2, {"ot": "v", "sid": "s"}), Request(3, {"ot": "v"})]
    core = cmcd.build_core(pl.concat([raw(requests), raw(requests)]))
    assert (core.height, core.schema) == (3, CORE_CMCD.schema())
    sessions = cmcd.sessions(core)
    assert (sessions["requests_n"].to_list(), sessions.schema) == ([2], OUT_CMCD_SESSIONS.schema())


def test_access_logs_tell_the_time():
    line = '10.0.0.1 - - [01/Mar/2026:11:00:00 +0100] "GET /a.m4v?x=1&CMCD=br%3D900%2Csid%3D%22s%22&y HTTP/1.1" 200 51'
    (entry,) = cmcd_logs.read([line])
    assert entry == Request(1, {"br": 900.0, "sid": "s"}, entry.at)
    assert entry.at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert raw([entry])["occurred_at"].to_list() == [entry.at]
    (told,) = cmcd_logs.read(['{"url": "/a?CMCD=ts%3D1772359200000", "status": 200}'])
    assert raw([told])["occurred_at"].to_list() == [datetime(2026, 3, 1, 10, tzinfo=UTC)]


def test_json_logs_of_headers_and_lines_that_are_none():
    entries = list(
        cmcd_logs.read(['{"cmcd-request": "bl=100", "CMCD-Status": "bs"}', "", "hello", "?CMCD=br%3Dx", "{}"])
    )
    assert entries[0] == Request(1, {"bl": 100.0, "bs": True})
    assert [(entry.line, entry.reason) for entry in entries[1:]] == [
        (3, "no CMCD in it"),
        (4, 'br cannot be "x"'),
        (5, "no CMCD in it"),
    ]


def test_ids_too_long_are_refused_by_name():
    with pytest.raises(InvalidSchema, match="sid must be at most 128 characters"):
        payload.accept(Request(1, {"sid": "s" * 129}), log="log", tenant="t", arrival=ARRIVAL)
