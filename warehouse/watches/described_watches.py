"""Watches of the database with what is known of them: rows of `watches` joined with `shows` and `metadata`.

How they are joined is computed in `warehouse.metrics.watch_descriptions`; here is only which rows it takes.
"""

from collections.abc import Sequence
from typing import LiteralString

import polars as pl
import psycopg
from psycopg import sql

from warehouse.landing import rows
from warehouse.metrics.watch_bodies import BACKFILLS, SHOWS, WATCHES
from warehouse.metrics.watch_descriptions import METADATA, described

_DESCRIBING: LiteralString = """
SELECT {columns} FROM metadata WHERE (kind, id) IN (
    SELECT 'tvdb/series', unnest(%(series)s::text[])
    UNION ALL SELECT 'tvdb/movie', unnest(%(tvdb)s::text[])
    UNION ALL SELECT 'tmdb/movie', unnest(%(tmdb)s::text[])
    UNION ALL SELECT 'youtube/video', unnest(%(videos)s::text[])
    UNION ALL SELECT 'spotify/episode', unnest(%(episodes)s::text[])
    UNION ALL SELECT 'youtube/channel', unnest(%(titles)s::text[])
    UNION ALL SELECT 'spotify/show', unnest(%(titles)s::text[])
)
"""


def watches(connection: psycopg.Connection, where: LiteralString, **params: object) -> pl.DataFrame:
    """Return the rows of `watches`, named `held`, for which a condition holds. Schema `watch_bodies.WATCHES`."""
    query = sql.SQL("SELECT {} FROM watches AS held WHERE {}").format(rows.columns(WATCHES), sql.SQL(where))
    return rows.fetch(connection, query, params, WATCHES)


def describe(connection: psycopg.Connection, watches: pl.DataFrame) -> pl.DataFrame:
    """Return watches with what the database knows of them now, as `watch_descriptions.described`."""
    folders = watches.filter(pl.col("folder").is_not_null()).select("tenant", "user_id", "folder").unique()
    shows = _shows(connection, folders)
    found = _metadata(connection, watches, shows)
    return described(watches, shows, found)


def _shows(connection: psycopg.Connection, folders: pl.DataFrame) -> pl.DataFrame:
    if folders.is_empty():
        return pl.DataFrame(schema=SHOWS)
    query = sql.SQL("SELECT {} FROM shows JOIN {} USING (tenant, user_id, folder)").format(
        rows.columns(SHOWS), rows.recordset(folders.schema)
    )
    return rows.fetch(connection, query, rows.parameter(folders), SHOWS)


def _metadata(connection: psycopg.Connection, watches: pl.DataFrame, shows: pl.DataFrame) -> pl.DataFrame:
    def texts(frame: pl.DataFrame, column: str) -> list[str]:
        return frame[column].drop_nulls().unique().cast(pl.String).to_list()

    asked = {
        "series": texts(shows, "tvdb_id"),
        "tvdb": texts(watches, "tvdb_id"),
        "tmdb": texts(watches, "tmdb_id"),
        "videos": texts(watches.filter(pl.col("kind") == "youtube"), "item"),
        "episodes": texts(watches.filter(pl.col("kind") == "spotify"), "item"),
        "titles": texts(watches, "title_id"),
    }
    query = sql.SQL(_DESCRIBING).format(columns=rows.columns(METADATA))
    own = rows.fetch(connection, query, asked, METADATA)
    parents: dict[str, list[str]] = {name: [] for name in asked} | {"titles": texts(own, "parent_id")}
    if not parents["titles"]:
        return own
    return pl.concat([own, rows.fetch(connection, query, parents, METADATA)]).unique(["kind", "id"])


def podcasts(connection: psycopg.Connection, show_ids: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return who heard these podcasts up to which episode, and the metadata of all their episodes."""
    ids = {"ids": list(show_ids)}
    of_podcasts: LiteralString = "kind = 'spotify/episode' AND parent_id = ANY(%(ids)s)"
    query = sql.SQL("SELECT {} FROM backfills WHERE episode_id IN (SELECT id FROM metadata WHERE {})")
    heard = rows.fetch(connection, query.format(rows.columns(BACKFILLS), sql.SQL(of_podcasts)), ids, BACKFILLS)
    every = sql.SQL("SELECT {} FROM metadata WHERE {}").format(rows.columns(METADATA), sql.SQL(of_podcasts))
    return heard, rows.fetch(connection, every, ids, METADATA)


def podcasts_of(connection: psycopg.Connection, episode_ids: Sequence[str]) -> list[str]:
    """Return the podcasts of those of these episodes that are known."""
    found = connection.execute(
        "SELECT DISTINCT parent_id FROM metadata WHERE kind = 'spotify/episode' AND id = ANY(%s) AND status = 'found'",
        (list(episode_ids),),
    )
    return [parent for (parent,) in found]
