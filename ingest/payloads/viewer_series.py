"""Exports of a stream's viewer counts, `<date>_<stream id>_<start in epoch seconds>.json`, as samples of our own.

A file is `{"stream_title", "interval": seconds between samples, "data": {"concurrentViewers": [...], other series}}`.
Only concurrent viewers are taken; the other series need not be as long. What a sample is is in `streams`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ingest.errors import InvalidSchema
from ingest.payloads import strict
from ingest.payloads.explaining import explain
from ingest.payloads.streams import MAX_VIEWERS

SERIES = "concurrentViewers"

_NAME = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})_(?P<stream_id>.+)_(?P<start_s>\d{9,10})\.json")


class _Export(msgspec.Struct, kw_only=True):
    stream_title: str | None = None
    interval: Annotated[float, Meta(gt=0, le=86_400)]
    data: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class ViewerSeries:
    """One stream's export."""

    stream_id: str
    title: str | None
    start_s: int
    interval_s: float
    viewers: tuple[int, ...]
    lengths: dict[str, int]
    """Samples of every series in the file."""

    @property
    def unequal(self) -> str | None:
        """What there is to say where the series differ in length: each is taken from the start; None if they agree."""
        if len(set(self.lengths.values())) == 1:
            return None
        return f"series differ in length ({', '.join(f'{name} {n}' for name, n in sorted(self.lengths.items()))})"

    def stream(self) -> bytes:
        """Return the body of `POST /v1/streams` that tells of it."""
        return msgspec.json.encode(
            {"stream_id": self.stream_id, "title": self.title, "started_at": self.start_s * 1000, "is_live": False}
        )

    def samples(self) -> Iterator[bytes]:
        """Yield the samples as items of `POST /v1/viewers`, oldest first."""
        for number, count in enumerate(self.viewers):
            at_ms = round((self.start_s + number * self.interval_s) * 1000)
            yield msgspec.json.encode({"stream_id": self.stream_id, "viewer_count": count, "timestamp": at_ms})


def read(name: str, body: bytes) -> ViewerSeries:
    """Read a file's content; `name` is its name without folders. Raises InvalidSchema, naming what is wrong."""
    named = _NAME.fullmatch(name)
    if named is None:
        raise InvalidSchema("The file name must be <date>_<stream id>_<start in epoch seconds>.json")
    parent = ""
    try:
        export = msgspec.convert(strict.decode(body), _Export)
        parent = f"data.{SERIES}"
        viewers = msgspec.convert(export.data.get(SERIES), list[Annotated[int, Meta(ge=0, le=MAX_VIEWERS)]])
    except msgspec.ValidationError as error:
        raise InvalidSchema(explain(str(error), parent)) from None
    return ViewerSeries(
        stream_id=named["stream_id"],
        title=export.stream_title,
        start_s=int(named["start_s"]),
        interval_s=export.interval,
        viewers=tuple(viewers),
        lengths={series: len(values) for series, values in export.data.items()},
    )
