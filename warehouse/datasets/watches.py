"""The lake tables of watch progress: what arrived, core watches and their daily sums, with the unit of each column.

Rows of the raw tables come through `warehouse.landing.outbox`; what fills the others is computed in
`warehouse.metrics.watches` and `warehouse.metrics.progress_daily`. Durations are whole seconds (`_s`), as the tracker
keeps them: integers add up exactly in any order, minutes with fractions do not.
"""

import polars as pl

from warehouse.datasets.dataset import INSTANT, Dataset

KINDS = ("episode", "movie", "youtube", "spotify")
"""What is watched: a file of a local show, a local movie, a YouTube video, an episode of a Spotify show."""

ENRICHMENTS = ("pending", "found", "failed")
"""What a provider said of an item: nothing yet, its metadata, or that there is no such item."""

CONFIDENCES = ("measured", "synced", "estimated")
"""How well an hour is known: a player measured it, a sync said so and a provider knows its length, or it is a guess."""

_WATCHER: dict[str, tuple[pl.DataType, str]] = {
    "day": (pl.Date(), "Local day of watched_at, in time_zone"),
    "tenant": (pl.String(), "Owner of the data"),
    "user_id": (pl.String(), "Who watched"),
    "time_zone": (pl.String(), "IANA name of the user's time zone, which bounds the days"),
    "kind": (pl.String(), "episode, movie, youtube or spotify"),
}

RAW_WATCHES = Dataset(
    name="raw_watches",
    comment="Every accepted body of the tracker's routes and of imports as it arrived, append-only",
    columns={
        "day": (pl.Date(), "UTC day of received_at"),
        "tenant": (pl.String(), "Owner of the data"),
        "user_id": (pl.String(), "Who watched"),
        "ingest_id": (pl.String(), "UUIDv7 given at arrival, unique"),
        "received_at": (INSTANT, "Arrival, by the server's clock"),
        "route": (pl.String(), "sync, show, syncmovies, syncyoutube, syncspotify, takeout or trakt"),
        "time_zone": (pl.String(), "IANA name of the user's time zone at arrival; null for the default"),
        "language": (pl.String(), "Language that the user immersed in at arrival; null when not set"),
        "payload": (pl.String(), "The body, JSON"),
    },
    key=("ingest_id",),
    identifying=frozenset({"user_id", "ingest_id", "payload"}),
    retention="watches",
)

RAW_METADATA = Dataset(
    name="raw_metadata",
    comment="Every answer of a metadata provider as it came, append-only",
    columns={
        "day": (pl.Date(), "UTC day of received_at"),
        "tenant": (pl.String(), "Empty: metadata belongs to nobody"),
        "ingest_id": (pl.String(), "UUIDv7 given at arrival, unique"),
        "received_at": (INSTANT, "Arrival, by the server's clock"),
        "kind": (pl.String(), "What was asked of whom, as tvdb/series; see warehouse.providers.results"),
        "id": (pl.String(), "The provider's id of it"),
        "parent_id": (pl.String(), "Podcast of a listed episode, whose answer does not name it; else null"),
        "status": (pl.String(), "found, or failed where the provider says that it does not exist"),
        "payload": (pl.String(), "The answer, JSON"),
    },
    key=("ingest_id",),
    identifying=frozenset({"ingest_id"}),
    retention="metadata",
)

CORE_WATCHES = Dataset(
    name="core_watches",
    comment="One row a watched item of a user, with what its provider knows of it",
    columns=_WATCHER
    | {
        "folder": (pl.String(), "Folder of a local show, for episodes; else null"),
        "item": (pl.String(), "File name of an episode or a movie, id of a video or a podcast episode"),
        "watched_at": (INSTANT, "When it was watched; of a sync, its arrival"),
        "received_at": (INSTANT, "Arrival, by the server's clock"),
        "ingest_id": (pl.String(), "The way back to the payload"),
        "released_on": (pl.Date(), "Release of a podcast episode, where known"),
        "tvdb_id": (pl.Int64(), "TVDB series of an episode, TVDB movie of a movie"),
        "tmdb_id": (pl.Int64(), "TMDB movie of a movie"),
        "channel_id": (pl.String(), "YouTube channel of a video"),
        "show_id": (pl.String(), "Spotify show of a podcast episode"),
        "title_name": (pl.String(), "Name of the series, movie, channel or podcast; null while unknown"),
        "artwork_url": (pl.String(), "Artwork of the same"),
        "item_name": (pl.String(), "Name of the video or episode itself, where known"),
        "duration_s": (pl.Int64(), "Length, whole seconds; of an episode the series' average; null while unknown"),
        "enrichment": (pl.String(), "pending, found or failed"),
        "language": (pl.String(), "Language of what was heard, where known"),
        "confidence": (pl.String(), "measured, synced or estimated"),
    },
    key=("tenant", "user_id", "kind", "folder", "item"),
    identifying=frozenset({"user_id", "folder", "item", "ingest_id", "item_name"}),
)

OUT_PROGRESS_DAILY = Dataset(
    name="out_progress_daily",
    comment="What each user watched of each title on each local day; totals, trend and cumulative hours add up from it",
    columns=_WATCHER
    | {
        "title_id": (pl.String(), "TVDB id, channel, podcast, or the file name of a movie; null while unknown"),
        "language": (pl.String(), "Language of what was heard, where known"),
        "confidence": (pl.String(), "measured, synced or estimated; estimated where the length is a fallback"),
        "title_name": (pl.String(), "Name of the title; null while unknown"),
        "artwork_url": (pl.String(), "Artwork of the title"),
        "items": (pl.Int64(), "Items watched"),
        "watched_s": (pl.Int64(), "Time watched, seconds; an episode of unknown length counts 20 minutes"),
        "pending_n": (pl.Int64(), "Items that a provider has not answered for yet"),
        "failed_n": (pl.Int64(), "Items that a provider does not know"),
        "first_at": (INSTANT, "The first watch"),
        "last_at": (INSTANT, "The last watch"),
    },
    key=(*_WATCHER, "title_id", "language", "confidence"),
    identifying=frozenset({"user_id", "title_id", "title_name", "artwork_url"}),
)
