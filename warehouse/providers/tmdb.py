"""TMDB: movies, series and search, with a read access token that does not end.

Source: https://developer.themoviedb.org/reference. Artwork is a path under a fixed address; runtimes are minutes.
"""

from http import HTTPStatus

import msgspec

from warehouse.providers import answers
from warehouse.providers.exchange import Exchange
from warehouse.providers.pacing import Deadline
from warehouse.providers.results import Found, Hit, Kind, Movie, Series, Unknown

_ARTWORK = "https://image.tmdb.org/t/p/w500"
_HITS = 10


class _Movie(msgspec.Struct):
    original_title: str | None = None
    poster_path: str | None = None
    runtime: float | None = None


class _LastEpisode(msgspec.Struct):
    runtime: float | None = None


class _Series(msgspec.Struct):
    original_name: str | None = None
    poster_path: str | None = None
    episode_run_time: list[float] = []
    last_episode_to_air: _LastEpisode | None = None


class _Hit(msgspec.Struct):
    id: int
    title: str | None = None
    name: str | None = None
    release_date: str | None = None
    first_air_date: str | None = None
    poster_path: str | None = None


class _Hits(msgspec.Struct):
    results: list[_Hit]


class Tmdb:
    """Look-ups of TMDB. All raise ProviderFailure."""

    def __init__(self, exchange: Exchange, token: str) -> None:
        self._exchange = exchange
        self._token = token

    async def movie(self, movie_id: int, deadline: Deadline) -> Found[Movie] | Unknown:
        """Return one movie."""
        raw, known = await self._answer(f"/3/movie/{movie_id}", deadline)
        if not known:
            return Unknown(Kind.TMDB_MOVIE, movie_id, raw)
        return Found(Kind.TMDB_MOVIE, movie_id, read_movie(raw), raw)

    async def series(self, series_id: int, deadline: Deadline) -> Found[Series] | Unknown:
        """Return one series."""
        raw, known = await self._answer(f"/3/tv/{series_id}", deadline)
        if not known:
            return Unknown(Kind.TMDB_SERIES, series_id, raw)
        return Found(Kind.TMDB_SERIES, series_id, read_series(raw), raw)

    async def search(self, kind: Kind, name: str, deadline: Deadline) -> list[Hit]:
        """Return the best hits of a name among series or movies, best first; a hit without a name is left out."""
        path = "/3/search/tv" if kind is Kind.TMDB_SERIES else "/3/search/movie"
        response = await self._exchange.get(path, deadline, params={"query": name}, token=self._token)
        found = answers.read("tmdb", answers.expect_ok("tmdb", response), _Hits).results[:_HITS]
        return [
            Hit(kind, hit.id, title, _year(hit.release_date or hit.first_air_date), _artwork(hit.poster_path))
            for hit in found
            if (title := hit.title or hit.name)
        ]

    async def _answer(self, path: str, deadline: Deadline) -> tuple[bytes, bool]:
        response = await self._exchange.get(path, deadline, token=self._token)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return answers.said_unknown(response.content), False
        return answers.expect_ok("tmdb", response), True


def read_movie(raw: bytes) -> Movie:
    """Return the movie of a raw answer; raise Refused."""
    data = answers.read("tmdb", raw, _Movie)
    name = answers.named("tmdb", "original_title", data.original_title)
    return Movie(name, _artwork(data.poster_path), answers.positive(data.runtime))


def read_series(raw: bytes) -> Series:
    """Return the series of a raw answer; raise Refused.

    The runtime is the mean of those given, which TMDB has stopped to fill: then that of the last episode.
    """
    data = answers.read("tmdb", raw, _Series)
    name = answers.named("tmdb", "original_name", data.original_name)
    given = [minutes for minutes in data.episode_run_time if minutes > 0]
    last = data.last_episode_to_air.runtime if data.last_episode_to_air else None
    return Series(name, _artwork(data.poster_path), answers.positive(sum(given) / len(given) if given else last))


def _artwork(path: str | None) -> str | None:
    return _ARTWORK + path if path else None


def _year(day: str | None) -> int | None:
    first = answers.first_day(day, "day")
    return first.year if first else None
