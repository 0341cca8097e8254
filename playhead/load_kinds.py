"""What `load` makes of the files of each kind: items with their place, and what makes a landing record of one.

Watches are loaded in `watch_loading`; how items land is in `loading`.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import polars as pl

from ingest.errors import InvalidSchema
from ingest.payloads import cmcd, epas, events, session, streams, viewer_series
from ingest.payloads.instants import Arrival
from ingest.payloads.listed import Accepted
from warehouse.metrics import cmcd_logs

ROWS_AT_ONCE = 50_000
"""Parquet rows turned into lines at a time."""

Record = Callable[[str, datetime], bytes]
"""From tenant and time to the landing record of an item. Raises InvalidSchema."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a file: the line where it stands, its text, and what makes a record of it."""

    line: int
    body: bytes
    record: Record


Read = Callable[[Path, Callable[[str], None]], Iterator[Item]]
"""Yields the items of a file; tells what is odd about it, which refuses nothing."""


def _sessions(path: Path, _say: Callable[[str], None]) -> Iterator[Item]:
    for number, line in _numbered(_lines(path)):
        yield Item(number, line, partial(_session, line))


def _session(line: bytes, tenant: str, now: datetime) -> bytes:
    return session.accept(line, tenant=tenant, now=now).record


def _events(path: Path, _say: Callable[[str], None]) -> Iterator[Item]:
    for number, line in _numbered(_lines(path)):
        yield Item(number, line, partial(_listed, events.accept, line))


def _beacons(path: Path, _say: Callable[[str], None]) -> Iterator[Item]:
    """Yield beacons of NDJSON, of a JSON array, or of an object of arrays, whatever these are called."""
    try:
        document = json.loads(_whole(path))
    except ValueError:
        items: Iterable[tuple[int, bytes]] = _numbered(_lines(path))
    else:
        if isinstance(document, Mapping) and all(isinstance(part, list) for part in document.values()):
            document = [beacon for part in document.values() for beacon in part]
        listed = document if isinstance(document, list) else [document]
        items = enumerate((json.dumps(beacon).encode() for beacon in listed), 1)
    for number, body in items:
        yield Item(number, body, partial(_listed, epas.accept, body))


def _viewers(path: Path, say: Callable[[str], None]) -> Iterator[Item]:
    body = _whole(path)
    try:
        series = viewer_series.read(path.name, body)
    except InvalidSchema as error:
        yield Item(0, body[:1000], partial(_refused, error))
        return
    if series.unequal:
        say(f"{path.name}: {series.unequal}")
    stream = series.stream()
    yield Item(0, stream, partial(_listed, streams.accept_stream, stream))
    for number, sample in enumerate(series.samples(), 1):
        yield Item(number, sample, partial(_listed, streams.accept_sample, sample))


def _cmcd(path: Path, _say: Callable[[str], None]) -> Iterator[Item]:
    lines = (line.decode("utf-8", "backslashreplace") for line in _lines(path))
    for found in cmcd_logs.read(lines):
        if isinstance(found, cmcd_logs.Unread):
            yield Item(found.line, found.text.encode(), partial(_refused, InvalidSchema(found.reason)))
        else:
            body = json.dumps(found.keys).encode()
            yield Item(found.line, body, partial(_request, found, path.name))


def _request(found: cmcd_logs.Request, log: str, tenant: str, now: datetime) -> bytes:
    return cmcd.accept(found, log=log, tenant=tenant, arrival=Arrival.at(now)).record


def _listed(accept: Callable[..., Accepted], body: bytes, tenant: str, now: datetime) -> bytes:
    return accept(body, tenant=tenant, arrival=Arrival.at(now)).record


def _refused(error: InvalidSchema, _tenant: str, _now: datetime) -> bytes:
    raise error


def _whole(path: Path) -> bytes:
    return b"".join(_lines(path))


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines, 1):
        if stripped := line.strip():
            yield number, stripped


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a text, plain or gzipped, or the rows of Parquet as JSON objects."""
    if path.suffix == ".parquet":
        frame = pl.scan_parquet(path)
        total = frame.select(pl.len()).collect().item()
        for offset in range(0, total, ROWS_AT_ONCE):
            yield from frame.slice(offset, ROWS_AT_ONCE).collect().write_ndjson().encode().splitlines()
    elif path.suffix == ".gz":
        with gzip.open(path, "rb") as file:
            yield from file
    else:
        with path.open("rb") as file:
            yield from file


KINDS: Mapping[str, Read] = {
    "sessions": _sessions,
    "events": _events,
    "viewers": _viewers,
    "epas": _beacons,
    "cmcd": _cmcd,
}
