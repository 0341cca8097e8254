"""Landing of provider answers: metadata, the sums that it changes, and raw rows of the outbox, in one transaction.

What is asked is in `enriching`, how an answer is read in `warehouse.providers`. A podcast that was heard up to an
episode gains its earlier episodes here, when they become known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import polars as pl
import psycopg
from psycopg import sql
from uuid_utils import uuid7

from warehouse.datasets.watches import RAW_METADATA
from warehouse.landing import outbox, rows
from warehouse.metrics.watch_bodies import SHOWS, WATCHES
from warehouse.metrics.watch_descriptions import METADATA, SPOTIFY_EPISODE, expanded, newest
from warehouse.providers import described
from warehouse.watches import described_watches, progress_sums, watchers, watching

_KEY = ("kind", "id")
_OF: dict[str, LiteralString] = {
    "tvdb/series": "kind = 'episode' AND EXISTS (SELECT FROM shows WHERE shows.tenant = held.tenant "
    "AND shows.user_id = held.user_id AND shows.folder = held.folder AND shows.tvdb_id = ANY(%(ids)s::bigint[]))",
    "tvdb/movie": "kind = 'movie' AND tvdb_id = ANY(%(ids)s::bigint[])",
    "tmdb/movie": "kind = 'movie' AND tvdb_id IS NULL AND tmdb_id = ANY(%(ids)s::bigint[])",
    "youtube/video": "kind = 'youtube' AND item = ANY(%(ids)s)",
    SPOTIFY_EPISODE: "kind = 'spotify' AND item = ANY(%(ids)s)",
}
"""Which watches metadata of a kind describes. That of channels and podcasts names titles, which no sum holds."""


@dataclass(frozen=True)
class Answer:
    """What a provider said: `status` found or failed, `payload` its JSON; `kind` and the ids as in `RAW_METADATA`."""

    kind: str
    id: str
    status: str
    payload: bytes
    parent_id: str | None = None


def store(connection: psycopg.Connection, answers: Sequence[Answer], now: datetime) -> None:
    """Land answers that arrived at `now`: all of them or none.

    The connection must not be in a transaction. Raises psycopg errors and `providers.reading.MalformedAnswer`.
    """
    if not answers:
        return
    raw = _raw(answers, now)
    said = newest(described.metadata(raw))
    with connection.transaction():
        watchers.lock_all(connection)
        outbox.put(connection, RAW_METADATA, raw)
        query = sql.SQL("SELECT {} FROM {} JOIN metadata AS held USING (kind, id)")
        keys = said.select(_KEY)
        found = query.format(rows.columns(METADATA, "held."), rows.recordset(keys.schema))
        held = rows.fetch(connection, found, rows.parameter(keys), METADATA)
        new = newest(pl.concat([held, said])).join(held, on=[*_KEY, "ingest_id"], how="anti")
        touched = _described_by(connection, new)
        before = described_watches.describe(connection, touched)
        every: LiteralString = ", ".join(f"{name} = excluded.{name}" for name in METADATA.names() if name not in _KEY)
        rows.upsert(connection, "metadata", new, _KEY, every)
        progress_sums.change(connection, before, described_watches.describe(connection, touched))
        _expand(connection, new)


def _raw(answers: Sequence[Answer], now: datetime) -> pl.DataFrame:
    columns = {
        "day": now.date(),
        "tenant": "",
        "ingest_id": [str(uuid7()) for _ in answers],
        "received_at": now,
        "kind": [answer.kind for answer in answers],
        "id": [answer.id for answer in answers],
        "parent_id": [answer.parent_id for answer in answers],
        "status": [answer.status for answer in answers],
        "payload": [answer.payload.decode() for answer in answers],
    }
    return pl.DataFrame(columns, schema=RAW_METADATA.schema())


def _described_by(connection: psycopg.Connection, metadata: pl.DataFrame) -> pl.DataFrame:
    """Return the watches of all users that rows of metadata describe."""
    found = [
        described_watches.watches(connection, condition, ids=ids)
        for kind, condition in _OF.items()
        if (ids := metadata.filter(pl.col("kind") == kind)["id"].to_list())
    ]
    return pl.concat([pl.DataFrame(schema=WATCHES), *found])


def _expand(connection: psycopg.Connection, metadata: pl.DataFrame) -> None:
    """Insert the episodes that are known to have been heard now."""
    podcasts = metadata.filter(pl.col("kind") == SPOTIFY_EPISODE)["parent_id"].drop_nulls().unique().to_list()
    if not podcasts:
        return
    backfills, episodes = described_watches.podcasts(connection, podcasts)
    watching.write(connection, expanded(backfills, episodes), pl.DataFrame(schema=SHOWS))
