"""The titles of `GET /progress`: shows, channels, podcasts and movies, with the contract's field names and order.

Which watches belong to a title is decided in `watches`, their sums in `progress_daily`.
"""

from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

_Row: TypeAlias = tuple[str | None, str | None, str | None, int]
"""Id, name, artwork, items."""


@dataclass(frozen=True)
class Show:
    """A series; `show_id` is its TVDB id as text. All folders without one are one show of null id and name."""

    show_id: str | None
    name: str | None
    artwork_url: str | None
    episodes_watched: int


@dataclass(frozen=True)
class Channel:
    """A YouTube channel; videos that YouTube has not described are one channel of null id and name."""

    channel_id: str | None
    channel_name: str | None
    artwork_url: str | None
    videos_watched: int


@dataclass(frozen=True)
class Podcast:
    """A Spotify show; episodes that Spotify has not described are one show of null id and name."""

    show_id: str | None
    show_name: str | None
    artwork_url: str | None
    episodes_watched: int


@dataclass(frozen=True)
class Movie:
    """A movie; `movie_id` is its file name, `name` null while its provider has not answered."""

    movie_id: str | None
    name: str | None
    artwork_url: str | None


def shows(titles: pl.DataFrame) -> tuple[Show, ...]:
    """Return the series of `progress_daily.by_title`, most episodes first; then by name and id, nulls last."""
    return tuple(Show(*row) for row in _most_first(titles, "episode"))


def channels(titles: pl.DataFrame) -> tuple[Channel, ...]:
    """Return the channels of `progress_daily.by_title`, most videos first; then by name and id, nulls last."""
    return tuple(Channel(*row) for row in _most_first(titles, "youtube"))


def podcasts(titles: pl.DataFrame) -> tuple[Podcast, ...]:
    """Return the podcasts of `progress_daily.by_title`, most episodes first; then by name and id, nulls last."""
    return tuple(Podcast(*row) for row in _most_first(titles, "spotify"))


def movies(titles: pl.DataFrame) -> tuple[Movie, ...]:
    """Return the movies of `progress_daily.by_title` by name, then by file name, nulls last."""
    return tuple(Movie(*row[:3]) for row in _rows(titles, "movie", ["title_name", "title_id"]))


def _most_first(titles: pl.DataFrame, kind: str) -> list[_Row]:
    return _rows(titles.with_columns(_fewer=-pl.col("items")), kind, ["_fewer", "title_name", "title_id"])


def _rows(titles: pl.DataFrame, kind: str, order: list[str]) -> list[_Row]:
    found = titles.filter(pl.col("kind") == kind).sort(order, nulls_last=True)
    return found.select("title_id", "title_name", "artwork_url", "items").rows()
