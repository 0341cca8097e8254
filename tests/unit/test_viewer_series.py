"""Exports of viewer counts: eight real streams, and minutes recomputed without any of our own code."""

import json
from collections import defaultdict
from datetime import UTC, datetime

import polars as pl
import pytest

from ingest.errors import InvalidSchema
from ingest.payloads import streams, viewer_series
from ingest.payloads.instants import Arrival
from tests.unit.real_data import FOLDER, needs
from warehouse.datasets.live import CORE_CHAT, CORE_VIEWERS
from warehouse.metrics import chat
from warehouse.metrics.live_bins import bins
from warehouse.metrics.moment_rows import detect

NAME = "2021-04-23_o-3Z4py6_Sm4_1619140391.json"
NOW = Arrival.at(datetime(2026, 3, 1, tzinfo=UTC))


def export(viewers, **changes):
    return json.dumps({"stream_title": "t", "interval": 5, "data": {"concurrentViewers": viewers}} | changes).encode()


def core(series):
    """Core rows of a series, by way of the body that it lands as."""
    rows = []
    for body in series.samples():
        record = json.loads(streams.accept_sample(body, tenant="t", arrival=NOW).record)
        assert record["clock_suspect"] is False
        at = datetime.fromtimestamp(record["sampled_at"] / 1000, UTC)
        told = {"day": at.date(), "tenant": "t", "stream_id": record["stream_id"], "sampled_at": at}
        rows.append(told | {"viewer_count": record["body"]["viewer_count"]})
    schema = CORE_VIEWERS.schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row")


def test_a_series_is_placed_by_its_name_and_interval():
    series = viewer_series.read(NAME, export([3, 4, 5], interval=2.5))
    assert (series.stream_id, series.title, series.start_s) == ("o-3Z4py6_Sm4", "t", 1_619_140_391)
    samples = [json.loads(body) for body in series.samples()]
    assert [sample["timestamp"] for sample in samples] == [1_619_140_391_000 + n * 2_500 for n in range(3)]
    assert [sample["viewer_count"] for sample in samples] == [3, 4, 5]
    assert series.unequal is None
    assert json.loads(streams.accept_stream(series.stream(), tenant="t", arrival=NOW).record)["body"]["title"] == "t"


def test_series_of_unequal_length_are_taken_and_said():
    series = viewer_series.read(NAME, export([1], data={"concurrentViewers": [3, 4], "likeCount": [1, 2, 3]}))
    assert series.viewers == (3, 4)
    assert series.unequal == "series differ in length (concurrentViewers 2, likeCount 3)"


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("x.json", export([1]), "file name"),
        (NAME, export([1], interval=0), "interval must be more than 0"),
        (NAME, export([1, -1]), "data.concurrentViewers[1] must be at least 0"),
        (NAME, export([1, 2.5]), "data.concurrentViewers[1] must be a whole number"),
        (NAME, export([], data={"likeCount": [1]}), "Missing required field: data.concurrentViewers"),
        (NAME, b"[]", "Body must be a JSON object"),
    ],
)
def test_what_is_no_series_is_refused(name, body, message):
    with pytest.raises(InvalidSchema) as refused:
        viewer_series.read(name, body)
    assert message in refused.value.message


@needs("viewers")
def test_the_minutes_of_eight_real_streams():
    paths = sorted((FOLDER / "viewers").glob("*.json"))
    assert len(paths) == 8
    unequal = {}
    for path in paths:
        plain = json.loads(path.read_text(encoding="utf-8"))
        by_minute = defaultdict(list)
        for number, count in enumerate(plain["data"]["concurrentViewers"]):
            at_s = int(path.stem.rpartition("_")[2]) + number * plain["interval"]
            by_minute[at_s // 60 * 60].append(count)

        series = viewer_series.read(path.name, path.read_bytes())
        sampled = core(series)
        empty = pl.DataFrame(schema=CORE_CHAT.schema())
        days = sampled["day"].unique().to_list()
        found, scores = (
            pl.concat(parts) for parts in zip(*(detect(bins(empty, sampled), day) for day in days), strict=True)
        )
        rows = chat.minutes(empty, sampled, scores)

        assert rows["window_start"].dt.epoch("s").to_list() == sorted(by_minute)
        for row, (_, counts) in zip(rows.iter_rows(named=True), sorted(by_minute.items()), strict=True):
            assert row["avg_viewers"] == pytest.approx(sum(counts) / len(counts), rel=1e-12)
            assert (row["peak_viewers"], row["viewer_n"]) == (max(counts), len(counts))
            assert (row["chat_count"], row["chat_rate"]) == (0, 0.0)
        assert set(found["moment_type"]) <= {"viewer_spike"}
        unequal[series.stream_id] = series.unequal is not None
    assert [stream for stream, differ in sorted(unequal.items()) if differ] == ["M6dIu_6VTMY", "o-3Z4py6Sm4"]
