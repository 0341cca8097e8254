"""Watches joined with what providers say of them: from rows as they landed to those of `CORE_WATCHES`.

Pure functions of frames; the same ones serve the database, where sums are kept with every watch, and a rebuild from
raw. What bodies say is in `watch_bodies`, local days are in `watches`, how an answer is read in `warehouse.providers`.
"""

import polars as pl

from warehouse.datasets.dataset import INSTANT
from warehouse.datasets.watches import CORE_WATCHES
from warehouse.metrics import watch_bodies
from warehouse.metrics.watch_bodies import WATCHES

METADATA = pl.Schema(
    {
        "kind": pl.String(),
        "id": pl.String(),
        "status": pl.String(),
        "name": pl.String(),
        "artwork_url": pl.String(),
        "parent_id": pl.String(),
        "duration_s": pl.Int64(),
        "released_on": pl.Date(),
        "answered_at": INSTANT,
        "ingest_id": pl.String(),
    }
)
"""Columns of the Postgres table `metadata`."""

STATUSES = ("found", "failed", "partial")
"""What is known goes before what is said not to exist, and both before what the answer of something else mentions."""

SPOTIFY_EPISODE = "spotify/episode"

PLACED = frozenset({"day", "time_zone"})
"""Columns of `CORE_WATCHES` that `watches.place` gives."""


def newest(metadata: pl.DataFrame) -> pl.DataFrame:
    """Return one row a kind and id: by `STATUSES`, then the newest."""
    rank = pl.col("status").replace_strict(STATUSES, range(len(STATUSES)), return_dtype=pl.Int8)
    ordered = metadata.with_columns(_rank=rank).sort(
        *("kind", "id", "_rank", "answered_at", "ingest_id"), descending=[False, False, False, True, True]
    )
    return ordered.unique(subset=["kind", "id"], keep="first", maintain_order=True).drop("_rank")


def core(raw: pl.DataFrame, metadata: pl.DataFrame) -> pl.DataFrame:
    """Return what rows of `RAW_WATCHES` and metadata come to: `CORE_WATCHES` without `PLACED`, one row an item."""
    heard = expanded(watch_bodies.backfills(raw), metadata)
    watches = watch_bodies.earliest(pl.concat([watch_bodies.watches(raw), heard]))
    return described(watches, watch_bodies.shows(raw), metadata)


def expanded(backfills: pl.DataFrame, metadata: pl.DataFrame) -> pl.DataFrame:
    """Return watches of each podcast up to and including the release of the episode that was heard last.

    They keep the arrival of the body that names it. Nothing follows from an episode that is not known yet, or has no
    date. Schema `WATCHES`, one row an item.
    """
    known = metadata.filter((pl.col("kind") == SPOTIFY_EPISODE) & (pl.col("status") == "found"))
    episodes = known.select(item="id", show="parent_id", released="released_on")
    last = backfills.join(episodes, left_on="episode_id", right_on="item")
    heard = last.join(episodes.rename({"released": "_released"}), on="show").filter(
        pl.col("_released") <= pl.col("released")
    )
    given = {
        "kind": pl.lit("spotify"),
        "watched_at": pl.col("received_at"),
        "source": pl.lit("sync"),
    }
    own = {name: pl.col(name) if name in heard.columns else pl.lit(None) for name in WATCHES.names()}
    return watch_bodies.earliest(heard.select(**(own | given)).cast(WATCHES))


def described(watches: pl.DataFrame, shows: pl.DataFrame, metadata: pl.DataFrame) -> pl.DataFrame:
    """Return `CORE_WATCHES` without `PLACED`: rows of `WATCHES` with the newest metadata of each.

    What a provider says goes before what an import said. Without either a name is null, and so is a length; a watch
    is pending until its provider has answered, failed where it says that there is no such thing.
    """
    folders = shows.select("tenant", "user_id", "folder", series="tvdb_id")
    asked = watches.join(folders, on=["tenant", "user_id", "folder"], how="left").with_columns(
        tvdb_id=pl.coalesce("tvdb_id", "series")
    )
    kind, by_tmdb = pl.col("kind"), pl.col("tvdb_id").is_null()
    keyed = asked.with_columns(
        _kind=pl.when(kind == "episode")
        .then(pl.lit("tvdb/series"))
        .when(kind == "movie")
        .then(pl.when(by_tmdb).then(pl.lit("tmdb/movie")).otherwise(pl.lit("tvdb/movie")))
        .when(kind == "youtube")
        .then(pl.lit("youtube/video"))
        .otherwise(pl.lit(SPOTIFY_EPISODE)),
        _id=pl.when(kind.is_in(["episode", "movie"]))
        .then(pl.coalesce("tvdb_id", "tmdb_id").cast(pl.String))
        .otherwise(pl.col("item")),
        _parent=pl.when(kind == "youtube").then(pl.lit("youtube/channel")).otherwise(pl.lit("spotify/show")),
    )
    own = metadata.drop("answered_at", "ingest_id").rename(lambda name: f"m_{name}")
    parents = metadata.select(p_kind="kind", p_id="id", p_name="name", p_artwork_url="artwork_url")
    joined = (
        keyed.join(own, left_on=["_kind", "_id"], right_on=["m_kind", "m_id"], how="left")
        .with_columns(_parent_id=pl.coalesce("m_parent_id", "title_id"))
        .join(parents, left_on=["_parent", "_parent_id"], right_on=["p_kind", "p_id"], how="left")
    )
    return joined.select(**_columns()).cast({name: CORE_WATCHES.schema()[name] for name in _columns()})


def _columns() -> dict[str, pl.Expr]:
    is_part = pl.col("kind").is_in(["youtube", "spotify"])
    duration_s = pl.coalesce("m_duration_s", "duration_s")
    given = {
        "released_on": pl.col("m_released_on"),
        "channel_id": pl.when(pl.col("kind") == "youtube").then(pl.col("_parent_id")),
        "show_id": pl.when(pl.col("kind") == "spotify").then(pl.col("_parent_id")),
        "title_name": pl.when(is_part)
        .then(pl.coalesce("p_name", "title_name"))
        .otherwise(pl.coalesce("m_name", "title_name")),
        "artwork_url": pl.when(is_part).then(pl.col("p_artwork_url")).otherwise(pl.col("m_artwork_url")),
        "item_name": pl.when(is_part).then(pl.coalesce("m_name", "item_name")).otherwise(pl.col("item_name")),
        "duration_s": duration_s,
        "enrichment": pl.col("m_status").fill_null("pending"),
        "confidence": pl.when(duration_s.is_null()).then(pl.lit("estimated")).otherwise(pl.lit("synced")),
    }
    return {name: given.get(name, pl.col(name)) for name in CORE_WATCHES.columns if name not in PLACED}
