"""Landed answers as rows of metadata: what a rebuild and the database make of `raw_metadata`, without any call.

One answer may tell of two things: a video names its channel, an episode its podcast.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from warehouse.metrics.watch_descriptions import METADATA, SPOTIFY_EPISODE
from warehouse.providers.reading import read_answer
from warehouse.providers.results import Channel, Episode, Kind, Metadata, Video

LISTED = "spotify/listed_show"
"""The kind of the row that tells when all episodes of a podcast were listed."""


def metadata(raw: pl.DataFrame) -> pl.DataFrame:
    """Return every statement that rows of `RAW_METADATA` make, in their order. Schema `watch_descriptions.METADATA`.

    Raises `reading.MalformedAnswer`.
    """
    rows = [statement for answer in raw.iter_rows(named=True) for statement in _statements(answer)]
    return pl.DataFrame(rows, schema=METADATA, orient="row")


def _statements(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each thing that an answer tells of."""
    base = dict.fromkeys(METADATA.names()) | {name: answer[name] for name in ("kind", "id", "status", "ingest_id")}
    base["answered_at"] = answer["received_at"]
    if answer["status"] != "found" or answer["kind"] == LISTED:
        yield base
        return
    kind = Kind(answer["kind"])
    said = read_answer(kind, answer["payload"].encode(), show_id=answer["parent_id"])
    yield base | _row(kind, said)
    partial = base | {"status": "partial"}
    if isinstance(said, Video) and said.channel_title is not None:
        yield partial | {"kind": str(Kind.YOUTUBE_CHANNEL), "id": said.channel_id, "name": said.channel_title}
    if isinstance(said, Episode) and said.show_name is not None:
        title = {"name": said.show_name, "artwork_url": said.show_artwork_url}
        yield partial | {"kind": "spotify/show", "id": said.show_id} | title


def _row(kind: Kind, said: Metadata) -> dict[str, Any]:
    if isinstance(said, Video):
        return {"name": said.title, "parent_id": said.channel_id, "duration_s": said.duration_s}
    if isinstance(said, Channel):
        return {"name": said.title, "artwork_url": said.artwork_url}
    if isinstance(said, Episode):
        # A listed episode tells what an episode that is asked for tells.
        own = {"kind": SPOTIFY_EPISODE, "name": said.title, "parent_id": said.show_id}
        return own | {"duration_s": said.duration_s, "released_on": said.released_on}
    seconds = None if said.runtime_minutes is None else said.runtime_minutes * 60
    return {"name": said.name, "artwork_url": said.artwork_url, "duration_s": seconds}
