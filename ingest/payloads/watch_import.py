"""The bodies of imported histories: one list of watches, with the instant of each. Their raw routes are `SOURCES`.

What they mean is in `warehouse.metrics.watch_bodies`; how an export becomes such bodies is known to who loads it.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ingest.errors import InvalidSchema
from ingest.payloads import sync
from warehouse.metrics.watch_bodies import instant

SOURCES = ("takeout", "trakt")
MAX_ITEMS = 10_000
"""Most watches that one body should hold, so that no transaction takes long."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)

Text = Annotated[str, Meta(min_length=1, max_length=1000)]


class Watched(msgspec.Struct):
    """One watched item. `folder` is for episodes, which need one; ids are those of the title's or movie's provider."""

    kind: Literal["episode", "movie", "youtube", "spotify"]
    item: sync.Name
    watched_at: Annotated[str, Meta(description="ISO 8601; without offset it is UTC")]
    folder: sync.Name | None = None
    name: Annotated[Text | None, Meta(description="Of the video or episode itself")] = None
    title_id: Annotated[sync.ItemId | None, Meta(description="Channel of a video, podcast of an episode")] = None
    title: Annotated[Text | None, Meta(description="Name of the series, movie, channel or podcast")] = None
    duration_s: Annotated[int, Meta(ge=0, le=2_147_483_647)] | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    tvdb_id: Annotated[sync.TitleId | None, Meta(description="Series of an episode, or movie")] = None
    tmdb_id: Annotated[sync.TitleId | None, Meta(description="Movie")] = None


class Watches(msgspec.Struct):
    """A part of an imported history."""

    watches: list[Watched]


def accept(body: bytes) -> Watches:
    """Return a body as its contract has it. Raises InvalidSchema, naming field and index, and PayloadTooLarge."""
    accepted = sync.accept(body, Watches)
    for index, watched in enumerate(accepted.watches):
        if (watched.kind == "episode") != (watched.folder is not None):
            raise InvalidSchema(f"watches[{index}].folder must be given for episodes, and for nothing else")
        try:
            at = instant(watched.watched_at)
        except (ValueError, OverflowError):
            raise InvalidSchema(f"watches[{index}].watched_at must be an ISO 8601 date and time") from None
        if not _EARLIEST <= at < _LATEST:
            raise InvalidSchema(f"watches[{index}].watched_at must lie between 1970 and 9000")
    return accepted
