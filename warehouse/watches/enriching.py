"""Asking providers for what watches lack: within a deadline when a body lands, again later for what failed then.

No transaction is open while a provider is waited for. How answers are stored is in `describing`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import psycopg
import structlog
from psycopg import sql

from warehouse.postgres import Database
from warehouse.providers.catalog import Catalog
from warehouse.providers.described import LISTED
from warehouse.providers.results import Failed, Found, Kind, Listing, Result, Unknown
from warehouse.watches.describing import Answer, store

_ASKED: LiteralString = """
WITH watch AS (SELECT * FROM watches AS held WHERE {condition}), asked AS (
    SELECT CASE kind WHEN 'youtube' THEN 'youtube/video' WHEN 'spotify' THEN 'spotify/episode'
        ELSE CASE WHEN tvdb_id IS NULL THEN 'tmdb/movie' ELSE 'tvdb/movie' END END AS kind,
        CASE kind WHEN 'movie' THEN coalesce(tvdb_id, tmdb_id)::text ELSE item END AS id, watched_at AS at
    FROM watch WHERE kind <> 'episode'
    UNION ALL
    SELECT 'tvdb/series', held.tvdb_id::text, updated_at FROM shows AS held WHERE {condition}
    UNION ALL
    SELECT 'youtube/channel', parent_id, watched_at
    FROM watch JOIN metadata ON metadata.kind = 'youtube/video' AND id = item WHERE watch.kind = 'youtube'
    UNION ALL
    SELECT 'spotify/listed_show', parent_id, received_at
    FROM backfills AS held JOIN metadata ON kind = 'spotify/episode' AND id = episode_id WHERE {condition}
)
SELECT kind, id FROM asked WHERE id IS NOT NULL AND NOT EXISTS (
    SELECT FROM metadata WHERE metadata.kind = asked.kind AND metadata.id = asked.id AND status <> 'partial'
        AND (asked.kind <> 'spotify/listed_show' OR answered_at >= at)
) GROUP BY kind, id ORDER BY max(at) DESC, kind, id LIMIT %(limit)s
"""
_EVERYTHING: LiteralString = "true"
_OF_BODY: LiteralString = "held.ingest_id = %(ingest_id)s"

MAX_ASKED = 10_000
"""Most that is asked for in one round; the newest first."""

ROUNDS = 3
"""An answer may name what is to be asked next: a video its channel, an episode its podcast."""

_log = structlog.get_logger("warehouse.watches.enriching")


class Lack(NamedTuple):
    """What no provider has answered for; `kind` and `id` as in the table `metadata`."""

    kind: str
    id: str


@dataclass(frozen=True)
class Enriched:
    """What was asked: how many answers came, and why others did not, by what lacks them."""

    answered: int
    reasons: Mapping[Lack, str]


def lacking(connection: psycopg.Connection, *, ingest_id: str | None = None, limit: int = MAX_ASKED) -> list[Lack]:
    """Return what watches lack, the newest first: all of them, or those of one body. Raises psycopg errors."""
    condition = _EVERYTHING if ingest_id is None else _OF_BODY
    query = sql.SQL(_ASKED).format(condition=sql.SQL(condition))
    rows = connection.execute(query, {"ingest_id": ingest_id, "limit": limit})
    return [Lack(*row) for row in rows]


async def enrich(
    database: Database, catalog: Catalog, now: datetime, *, within_s: float, ingest_id: str | None = None
) -> Enriched:
    """Ask for what watches lack (all of them, or those of one body) and store the answers, within a deadline.

    What is not answered stays as it is and is asked for again by the next call. Raises what Postgres raises.
    """
    deadline = time.monotonic() + within_s
    tried: dict[Lack, str] = {}
    answered = 0
    for _ in range(ROUNDS):
        lacks = await asyncio.to_thread(_lacking, database, ingest_id)
        asked = [lack for lack in lacks if lack not in tried]
        remaining_s = deadline - time.monotonic()
        if not asked or remaining_s <= 0:
            break
        answers, reasons = await look_up(catalog, asked, remaining_s)
        tried |= dict.fromkeys(asked, "") | reasons
        answered += len(answers)
        await asyncio.to_thread(_store, database, answers, now)
    failures = {lack: reason for lack, reason in tried.items() if reason}
    for provider, reason in {lack.kind.partition("/")[0]: reason for lack, reason in failures.items()}.items():
        _log.warning("metadata stays pending", provider=provider, reason=reason)
    return Enriched(answered, failures)


async def look_up(catalog: Catalog, lacks: Sequence[Lack], within_s: float) -> tuple[list[Answer], dict[Lack, str]]:
    """Return the answers that came within the deadline, and why others did not."""
    kinds = list(dict.fromkeys(lack.kind for lack in lacks))
    ids = {kind: [lack.id for lack in lacks if lack.kind == kind] for kind in kinds}
    found = await asyncio.gather(*(_ask(catalog, kind, ids[kind], within_s) for kind in kinds))
    answers = [answer for several, _ in found for answer in several]
    return answers, {lack: reason for _, reasons in found for lack, reason in reasons.items()}


async def _ask(
    catalog: Catalog, kind: str, ids: Sequence[str], within_s: float
) -> tuple[list[Answer], dict[Lack, str]]:
    if kind == LISTED:
        listings = await asyncio.gather(*(catalog.show_episodes(one, within_s) for one in ids))
        parts = [_listed(one, listing) for one, listing in zip(ids, listings, strict=True)]
        return [answer for several, _ in parts for answer in several], dict(
            failure for _, failures in parts for failure in failures
        )
    results = await _ASK[Kind(kind)](catalog, ids, within_s)
    answers = [_answer(result) for result in results if not isinstance(result, Failed)]
    return answers, {Lack(kind, str(result.id)): result.reason for result in results if isinstance(result, Failed)}


def _numbers(ids: Sequence[str]) -> list[int]:
    return [int(one) for one in ids]


_ASK: Mapping[Kind, Callable[[Catalog, Sequence[str], float], Awaitable[Sequence[Result[Any]]]]] = {
    Kind.TVDB_SERIES: lambda catalog, ids, within_s: catalog.tvdb_series(_numbers(ids), within_s),
    Kind.TVDB_MOVIE: lambda catalog, ids, within_s: catalog.tvdb_movies(_numbers(ids), within_s),
    Kind.TMDB_MOVIE: lambda catalog, ids, within_s: catalog.tmdb_movies(_numbers(ids), within_s),
    Kind.YOUTUBE_VIDEO: lambda catalog, ids, within_s: catalog.videos(ids, within_s),
    Kind.YOUTUBE_CHANNEL: lambda catalog, ids, within_s: catalog.channels(ids, within_s),
    Kind.SPOTIFY_EPISODE: lambda catalog, ids, within_s: catalog.episodes(ids, within_s),
}


def _answer(result: Found[Any] | Unknown, parent_id: str | None = None) -> Answer:
    status = "found" if isinstance(result, Found) else "failed"
    return Answer(str(result.kind), str(result.id), status, result.raw, parent_id)


def _listed(show_id: str, listing: Listing) -> tuple[list[Answer], list[tuple[Lack, str]]]:
    """Return the episodes of a podcast, and that they are all, unless some are missing."""
    answers = [_answer(episode, show_id) for episode in listing.episodes]
    if isinstance(listing.problem, Failed):
        return answers, [(Lack(LISTED, show_id), listing.problem.reason)]
    status = "found" if listing.problem is None else "failed"
    return [*answers, Answer(LISTED, show_id, status, b"null")], []


def _lacking(database: Database, ingest_id: str | None) -> list[Lack]:
    with database.connect() as connection:
        return lacking(connection, ingest_id=ingest_id)


def _store(database: Database, answers: Sequence[Answer], now: datetime) -> None:
    with database.connect() as connection:
        store(connection, answers, now)
