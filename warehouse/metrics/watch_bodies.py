"""What the accepted bodies of `raw_watches` say: watches, shows, and podcasts heard up to an episode.

Pure functions of the raw rows, so that a rebuild makes what landing made. What providers add is joined in
`watch_descriptions`; what a body must keep is checked before it lands.
"""

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl

from warehouse.datasets.dataset import INSTANT

WATCHES = pl.Schema(
    {
        "tenant": pl.String(),
        "user_id": pl.String(),
        "kind": pl.String(),
        "folder": pl.String(),
        "item": pl.String(),
        "watched_at": INSTANT,
        "received_at": INSTANT,
        "ingest_id": pl.String(),
        "source": pl.String(),
        "language": pl.String(),
        "tvdb_id": pl.Int64(),
        "tmdb_id": pl.Int64(),
        "title_id": pl.String(),
        "title_name": pl.String(),
        "item_name": pl.String(),
        "duration_s": pl.Int64(),
    }
)
"""Columns of the Postgres table `watches`."""

SHOWS = pl.Schema(
    {
        "tenant": pl.String(),
        "user_id": pl.String(),
        "folder": pl.String(),
        "tvdb_id": pl.Int64(),
        "is_put": pl.Boolean(),
        "updated_at": INSTANT,
        "ingest_id": pl.String(),
    }
)
"""Columns of the Postgres table `shows`."""

BACKFILLS = pl.Schema(
    {
        "tenant": pl.String(),
        "user_id": pl.String(),
        "episode_id": pl.String(),
        "ingest_id": pl.String(),
        "received_at": INSTANT,
        "language": pl.String(),
    }
)
"""Columns of the Postgres table `backfills`."""

ITEM = ("tenant", "user_id", "kind", "folder", "item")
"""What identifies a watch."""

_IMPORTS = ("takeout", "trakt")
_BODIES = {
    "sync": pl.Struct({"episodes": pl.List(pl.Struct({"folder_name": pl.String, "file_name": pl.String}))}),
    "syncmovies": pl.Struct(
        {"movies": pl.List(pl.Struct({"file_name": pl.String, "tvdb_id": pl.Int64, "tmdb_id": pl.Int64}))}
    ),
    "syncyoutube": pl.Struct({"video_ids": pl.List(pl.String)}),
    "syncspotify": pl.Struct({"episode_ids": pl.List(pl.String), "backfill": pl.Boolean}),
    "show": pl.Struct({"folder_name": pl.String, "tvdb_id": pl.Int64}),
} | dict.fromkeys(
    _IMPORTS,
    pl.Struct(
        {
            "watches": pl.List(
                pl.Struct(
                    {
                        "kind": pl.String,
                        "folder": pl.String,
                        "item": pl.String,
                        "watched_at": pl.String,
                        "language": pl.String,
                        "tvdb_id": pl.Int64,
                        "tmdb_id": pl.Int64,
                        "title_id": pl.String,
                        "title": pl.String,
                        "name": pl.String,
                        "duration_s": pl.Int64,
                    }
                )
            )
        }
    ),
)


def watches(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the watches that rows of `RAW_WATCHES` name, one row an item, sorted by item. Schema `WATCHES`."""
    found = [_synced(raw), *(_imported(raw, route) for route in _IMPORTS)]
    return earliest(pl.concat(found))


def earliest(watches: pl.DataFrame) -> pl.DataFrame:
    """Return one row an item: the least (watched_at, received_at, ingest_id), the first within one body."""
    order = (*ITEM, "watched_at", "received_at", "ingest_id")
    # Stable, so that of one body the first mention stands.
    ordered = watches.sort(*order, nulls_last=True, maintain_order=True)
    return ordered.unique(subset=ITEM, keep="first", maintain_order=True)


def shows(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the folders that rows of `RAW_WATCHES` name, each with its series. Schema `SHOWS`.

    The newest PUT holds; without one the first import that names a series; else there is none yet.
    """
    put = _bodies(raw, "show").select(*_folder(pl.col("folder_name")), is_put=pl.lit(True), **_when())
    synced = _bodies(raw, "sync").explode("episodes").unnest("episodes")
    named = synced.select(*_folder(pl.col("folder_name"), pl.lit(None, pl.Int64)), is_put=pl.lit(False), **_when())
    imported = [
        _bodies(raw, route)
        .explode("watches")
        .unnest("watches")
        .filter(pl.col("kind") == "episode")
        .select(*_folder(pl.col("folder")), is_put=pl.lit(False), **_when())
        for route in _IMPORTS
    ]
    return settled(pl.concat([put, named, *imported]).select(SHOWS.names()).cast(SHOWS))


def settled(shows: pl.DataFrame) -> pl.DataFrame:
    """Return one row a folder, that which holds of several."""
    put = shows.filter(pl.col("is_put")).sort("updated_at", "ingest_id", descending=True)
    others = shows.filter(~pl.col("is_put")).sort(pl.col("tvdb_id").is_null(), "updated_at", "ingest_id")
    folder = ["tenant", "user_id", "folder"]
    return pl.concat([put, others]).unique(subset=folder, keep="first", maintain_order=True).sort(folder)


def backfills(raw: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes up to which shows were heard, by rows of `RAW_WATCHES`. Schema `BACKFILLS`."""
    asked = _bodies(raw, "syncspotify").filter(pl.col("backfill").fill_null(False)).explode("episode_ids")
    named = asked.rename({"episode_ids": "episode_id", "user_language": "language"})
    return named.select(BACKFILLS.names()).unique(maintain_order=True)


def _synced(raw: pl.DataFrame) -> pl.DataFrame:
    episodes = _bodies(raw, "sync").explode("episodes").unnest("episodes")
    movies = _bodies(raw, "syncmovies").explode("movies").unnest("movies")
    videos = _bodies(raw, "syncyoutube").explode("video_ids")
    podcasts = _bodies(raw, "syncspotify").explode("episode_ids")
    parts = [
        _rows(episodes, kind=pl.lit("episode"), folder=pl.col("folder_name"), item=pl.col("file_name")),
        _rows(movies, kind=pl.lit("movie"), item=pl.col("file_name")),
        _rows(videos, kind=pl.lit("youtube"), item=pl.col("video_ids")),
        _rows(podcasts, kind=pl.lit("spotify"), item=pl.col("episode_ids")),
    ]
    return pl.concat(parts)


def _imported(raw: pl.DataFrame, route: str) -> pl.DataFrame:
    items = _bodies(raw, route).explode("watches").unnest("watches")
    instants = [instant(text) for text in items["watched_at"]]
    is_movie = pl.col("kind") == "movie"
    return _rows(
        items.with_columns(watched_at=pl.Series(instants, dtype=INSTANT)),
        kind=pl.col("kind"),
        item=pl.col("item"),
        watched_at=pl.col("watched_at"),
        source=pl.lit(route),
        language=pl.coalesce("language", "user_language"),
        # The series of an episode is that of its folder.
        tvdb_id=pl.when(is_movie).then(pl.col("tvdb_id")),
        title_name=pl.col("title"),
        item_name=pl.col("name"),
    )


def instant(text: str) -> datetime:
    """Return the instant of an ISO 8601 text, UTC without offset. Raises ValueError and OverflowError."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _bodies(raw: pl.DataFrame, route: str) -> pl.DataFrame:
    """Return the rows of a route, the fields of their bodies as columns."""
    kept = ("tenant", "user_id", "ingest_id", "received_at", "payload")
    rows = raw.filter(pl.col("route") == route).select(*kept, user_language="language")
    # Polars reads no number of a sender's own fields that has no type; here such a number is nothing.
    bodies = [json.loads(text, parse_int=_integer, parse_float=lambda _: None) for text in rows["payload"]]
    bodies = [_known(body, _BODIES[route]) for body in bodies]
    return rows.with_columns(payload=pl.Series(bodies, dtype=_BODIES[route])).unnest("payload")


def _known(value: Any, dtype: Any) -> Any:
    """Return a value without a sender's own fields, whose types may be at odds with each other."""
    if isinstance(dtype, pl.Struct) and isinstance(value, dict):
        return {field.name: _known(value.get(field.name), field.dtype) for field in dtype.fields}
    if isinstance(dtype, pl.List) and isinstance(value, list):
        return [_known(item, dtype.inner) for item in value]
    return value


def _integer(literal: str) -> int | None:
    return int(literal) if len(literal) < 19 else None


def _rows(items: pl.DataFrame, **given: pl.Expr) -> pl.DataFrame:
    """Return items with the columns of `WATCHES`: those given, else their own, else those of a sync."""
    defaults = {
        "watched_at": pl.col("received_at"),
        "source": pl.lit("sync"),
        "language": pl.col("user_language"),
    }
    own = {name: pl.col(name) if name in items.columns else pl.lit(None) for name in WATCHES.names()}
    return items.select(**(own | defaults | given)).cast(WATCHES)


def _folder(folder: pl.Expr, tvdb_id: pl.Expr | None = None) -> tuple[pl.Expr, ...]:
    series = pl.col("tvdb_id") if tvdb_id is None else tvdb_id
    return pl.col("tenant"), pl.col("user_id"), folder.alias("folder"), series.alias("tvdb_id")


def _when() -> dict[str, pl.Expr]:
    return {"updated_at": pl.col("received_at"), "ingest_id": pl.col("ingest_id")}
