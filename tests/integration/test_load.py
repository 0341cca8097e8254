"""`playhead load` and `playhead refresh` on files, against recomputations in plain Python."""

import gzip
import json
import math
from pathlib import Path

import polars as pl
import pytest

from tests.integration.commands import playhead
from warehouse.datasets import CONTENT_DIMENSION, CORE_SESSIONS, OUT_QOE_DAILY
from warehouse.metrics.qoe_summary import summarize
from warehouse.postgres import open_database

TUM = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tum-sessions.ndjson.gz"
DIMENSIONS = """
[dimensions]
category = "videoCategory"
player_version = "playerVersion"
shaping_bps = "shapingRateBps"
"""


def body(number: int, **fields: object) -> dict[str, object]:
    return {
        "sessionId": f"s{number}",
        "sessionStartDateIso": f"2026-03-0{1 + number % 3}T10:00:00Z",
        "sessionDurationMs": 60_000,
        "startupTimeMs": 400 + number,
        "playTimeMs": 50_000,
        "errorCount": 0,
        "contentId": "a",
    } | fields


def stored(storage) -> dict[str, tuple[object, ...]]:
    with open_database(storage) as database, database.connect() as connection:
        rows = connection.execute("SELECT session_id, player_startup_ms, content_id, started_at FROM sessions")
        return {row[0]: row[1:] for row in rows.fetchall()}


@pytest.mark.skipif(not TUM.exists(), reason="the TUM sessions are not beside the repository")
def test_real_sessions_equal_an_independent_recomputation(storage, lake):
    storage.home.mkdir()
    (storage.home / "playhead.toml").write_text(DIMENSIONS)
    printed = playhead(storage, "load", str(TUM))
    assert "Accepted 8,731 sessions" in printed
    playhead(storage, "refresh")

    sessions = [json.loads(line) for line in gzip.decompress(TUM.read_bytes()).splitlines()]
    core = lake.scan(CORE_SESSIONS).collect()
    assert core.height == len(sessions)
    assert core["rebuffer_ms"].null_count() == core["rebuffer_ratio_media3"].null_count() == len(sessions)
    assert core["outcome"].null_count() == len(sessions)

    out = lake.scan(OUT_QOE_DAILY).filter(pl.col("dimension") == CONTENT_DIMENSION).collect()
    days = dict(out.group_by("day").agg(pl.col("sessions").sum()).iter_rows())
    expected: dict[str, int] = {}
    for session in sessions:
        day = session["sessionStartDateIso"][:10]
        expected[day] = expected.get(day, 0) + 1
    assert {str(day): count for day, count in days.items()} == expected

    published = {row["metric"]: row for row in summarize(out).iter_rows(named=True)}
    rated = [s for s in sessions if s["meanVideoFormatBitrate"] and s["meanVideoFormatBitrate"] > 0]
    weighted = math.fsum(s["meanVideoFormatBitrate"] * s["playTimeMs"] for s in rated)
    assert published["bitrate_bps"]["value"] == pytest.approx(weighted / sum(s["playTimeMs"] for s in rated), rel=1e-9)
    assert published["bitrate_bps"]["n"] == len(rated)
    stalls, played = sum(s["rebufferCount"] for s in sessions), sum(s["playTimeMs"] for s in sessions)
    assert out["rebuffers_per_hour_num_sum"].sum() == stalls
    assert published["rebuffers_per_hour"]["value"] == pytest.approx(stalls / played * 3_600_000, rel=1e-12)
    for metric in ("rebuffer_pct_play", "rebuffer_pct_cta", "startup_ms", "vsf_pct", "experience_score"):
        assert (published[metric]["value"], published[metric]["n"]) == (None, 0)


def test_every_format_lands_the_same(storage, tmp_path):
    bodies = [body(n) for n in range(30)]
    text = "\n".join(json.dumps(b) for b in bodies).encode()
    (tmp_path / "plain.ndjson").write_bytes(text)
    (tmp_path / "packed.ndjson.gz").write_bytes(gzip.compress(text))
    pl.DataFrame(bodies).write_parquet(tmp_path / "table.parquet")
    for name in ("plain.ndjson", "packed.ndjson.gz", "table.parquet"):
        playhead(storage, "load", "--tenant", name, str(tmp_path / name))
    with open_database(storage) as database, database.connect() as connection:
        landed = connection.execute(
            "SELECT tenant, array_agg((session_id, player_startup_ms, started_at)::text ORDER BY session_id) "
            "FROM sessions GROUP BY tenant"
        ).fetchall()
    assert len(landed) == 3
    assert len({tuple(rows) for _, rows in landed}) == 1


def test_refused_lines_go_to_a_file_with_their_reasons_and_good_ones_land(storage, tmp_path):
    lines = [json.dumps(body(1)), "", "{not json", json.dumps(body(2, sessionDurationMs=0)), json.dumps(body(3))]
    source, rejects = tmp_path / "mixed.ndjson", tmp_path / "rejects.ndjson"
    source.write_text("\n".join(lines))
    printed = playhead(storage, "load", "--rejects", str(rejects), str(source), code=1)
    assert "Accepted 2 sessions" in printed
    assert "Rejected 2" in printed
    refused = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(entry["line"], entry["code"]) for entry in refused] == [(3, "INVALID_SCHEMA"), (4, "INVALID_SCHEMA")]
    assert "sessionDurationMs" in refused[1]["message"]
    assert refused[1]["body"] == lines[3]
    assert set(stored(storage)) == {"s1", "s3"}


def test_loading_twice_changes_nothing(storage, tmp_path):
    source = tmp_path / "plain.ndjson"
    source.write_text("\n".join(json.dumps(body(n)) for n in range(10)))
    playhead(storage, "load", str(source))
    once = stored(storage)
    playhead(storage, "load", str(source))
    assert stored(storage) == once
    assert len(once) == 10
