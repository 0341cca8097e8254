"""TVDB v4: series, movies and search. A log-in's token holds for about a month.

Source: https://thetvdb.github.io/v4-api/. Artwork addresses are whole; runtimes are minutes.
"""

from http import HTTPStatus
from typing import Any

import msgspec

from warehouse.providers import answers
from warehouse.providers.exchange import Exchange
from warehouse.providers.pacing import Deadline
from warehouse.providers.problems import ProviderFailure, Refused
from warehouse.providers.results import Found, Hit, Kind, Movie, Series, Unknown
from warehouse.providers.tokens import Grant, Tokens, get_with_token

_TOKEN_HOLDS_S = 28 * 86_400.0
_HITS = 10


class _Envelope(msgspec.Struct):
    status: str
    data: Any = None


class _Token(msgspec.Struct):
    token: str


class _Series(msgspec.Struct):
    name: str | None = None
    image: str | None = None
    averageRuntime: float | None = None  # noqa: N815 # the provider's name


class _Movie(msgspec.Struct):
    name: str | None = None
    image: str | None = None
    runtime: float | None = None


class _Hit(msgspec.Struct):
    name: str | None = None
    tvdb_id: str | None = None
    year: str | None = None
    image_url: str | None = None


class Tvdb:
    """Look-ups of TVDB. All raise ProviderFailure."""

    def __init__(self, exchange: Exchange, api_key: str) -> None:
        self._exchange = exchange
        self._api_key = api_key
        self._tokens = Tokens("tvdb", self._log_in)

    async def series(self, series_id: int, deadline: Deadline) -> Found[Series] | Unknown:
        """Return one series."""
        raw, known = await self._answer(f"/v4/series/{series_id}", deadline)
        if not known:
            return Unknown(Kind.TVDB_SERIES, series_id, raw)
        return Found(Kind.TVDB_SERIES, series_id, read_series(raw), raw)

    async def movie(self, movie_id: int, deadline: Deadline) -> Found[Movie] | Unknown:
        """Return one movie."""
        raw, known = await self._answer(f"/v4/movies/{movie_id}", deadline)
        if not known:
            return Unknown(Kind.TVDB_MOVIE, movie_id, raw)
        return Found(Kind.TVDB_MOVIE, movie_id, read_movie(raw), raw)

    async def search(self, kind: Kind, name: str, deadline: Deadline) -> list[Hit]:
        """Return the best hits of a name among series or movies, best first; a hit without id or name is left out."""
        wanted = "series" if kind is Kind.TVDB_SERIES else "movie"
        params = {"query": name, "type": wanted, "limit": str(_HITS)}
        response = await get_with_token(self._exchange, self._tokens, "/v4/search", deadline, params)
        data = _data(answers.expect_ok("tvdb", response))
        hits = answers.shaped("tvdb", data or [], list[_Hit])
        return [
            Hit(kind, int(hit.tvdb_id), hit.name, _year(hit.year), hit.image_url or None)
            for hit in hits[:_HITS]
            if hit.name and hit.tvdb_id and hit.tvdb_id.isascii() and hit.tvdb_id.isdigit()
        ]

    async def _answer(self, path: str, deadline: Deadline) -> tuple[bytes, bool]:
        response = await get_with_token(self._exchange, self._tokens, path, deadline)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return answers.said_unknown(response.content), False
        return answers.expect_ok("tvdb", response), True

    async def _log_in(self, deadline: Deadline) -> Grant:
        response = await self._exchange.post("/v4/login", deadline, json={"apikey": self._api_key})
        if response.status_code != HTTPStatus.OK:
            raise ProviderFailure(f"tvdb: refused the log-in ({response.status_code})", for_all=True)
        try:
            token = answers.shaped("tvdb", _data(response.content), _Token).token
        except Refused as failure:
            raise ProviderFailure(f"{failure} (log-in)", for_all=True) from None
        return Grant(token, _TOKEN_HOLDS_S)


def read_series(raw: bytes) -> Series:
    """Return the series of a raw answer; raise Refused."""
    data = answers.shaped("tvdb", _data(raw), _Series)
    return Series(answers.named("tvdb", "name", data.name), data.image or None, answers.positive(data.averageRuntime))


def read_movie(raw: bytes) -> Movie:
    """Return the movie of a raw answer; raise Refused."""
    data = answers.shaped("tvdb", _data(raw), _Movie)
    return Movie(answers.named("tvdb", "name", data.name), data.image or None, answers.positive(data.runtime))


def _data(raw: bytes) -> Any:
    envelope = answers.read("tvdb", raw, _Envelope)
    if envelope.status != "success":
        raise Refused("tvdb: unexpected answer: its status is not success")
    return envelope.data


def _year(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) == 4 else None
