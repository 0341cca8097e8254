"""`playhead load` of the other kinds, on the real files: exactly what an independent count finds."""

import json

import polars as pl
import psycopg

from tests.integration.commands import playhead
from tests.unit.real_data import FOLDER, needs
from warehouse.datasets.cmcd import RAW_CMCD
from warehouse.datasets.events import RAW_EVENTS
from warehouse.lake import Lake
from warehouse.settings import StorageSettings


@needs("viewers")
def test_the_real_viewer_series_land(storage: StorageSettings, connection: psycopg.Connection) -> None:
    files = sorted((FOLDER / "viewers").glob("*.json"))
    printed = playhead(storage, "load", "--kind", "viewers", *map(str, files))
    assert "series differ in length" in printed
    told = connection.execute(
        "SELECT stream_id, count(*), sum(viewer_count)::bigint, max(viewer_count), min(timestamp), max(timestamp)"
        " FROM viewer_timeseries GROUP BY stream_id"
    ).fetchall()
    assert len(files) == len(told) == 8
    by_stream = {row[0]: row for row in told}
    for path in files:
        export = json.loads(path.read_text())
        counts = export["data"]["concurrentViewers"]
        stream, start = path.stem[11:].rsplit("_", 1)
        _, n, total, peak, first, last = by_stream[stream]
        assert (n, total, peak) == (len(counts), sum(counts), max(counts))
        assert (first.timestamp(), last.timestamp()) == (
            int(start),
            int(start) + export["interval"] * (len(counts) - 1),
        )


@needs("epas")
@needs("cmcd")
def test_beacons_and_logs_land(storage: StorageSettings, lake: Lake) -> None:
    printed = playhead(storage, "load", "--kind", "epas", str(FOLDER / "epas" / "events.json"), code=1)
    assert "Accepted 15 beacons" in printed
    assert "Rejected 16" in printed
    log = FOLDER / "cmcd" / "cmcd-bitmovin-url.log"
    printed = playhead(storage, "load", "--kind", "cmcd", str(log), code=1)
    assert "Rejected 2" in printed, "two lines of it hold no CMCD"
    assert lake.scan(RAW_EVENTS).select(pl.len()).collect().item() == 15
    assert lake.scan(RAW_CMCD).select(pl.len()).collect().item() == 375
