"""The one face of the metadata providers: look-ups by id and search by name.

Results are handed back, never stored; a look-up never raises for what a provider does. For one event loop.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from warehouse.providers import spotify, tmdb, tvdb, youtube
from warehouse.providers.exchange import Exchange
from warehouse.providers.gathering import Gathering, M
from warehouse.providers.pacing import Deadline, Pace
from warehouse.providers.problems import ProviderFailure, failed
from warehouse.providers.results import (
    Channel,
    Episode,
    Failed,
    Found,
    Hit,
    Kind,
    Listing,
    Movie,
    Result,
    Series,
    Unknown,
    Video,
)
from warehouse.providers.settings import ProviderSettings
from warehouse.providers.unknowns import Unknowns

P = TypeVar("P")

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SETTING = {
    "tvdb": "TVDB_API_KEY",
    "tmdb": "TMDB_API_READ_ACCESS_TOKEN",
    "youtube": "YOUTUBE_API_KEY",
    "spotify": "SPOTIFY_CLIENT_ID",
}


class Catalog:
    """TVDB, TMDB, YouTube and Spotify. `within_s` is the caller's deadline in seconds; every answer keeps it."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._tvdb: tvdb.Tvdb | None = None
        self._tmdb: tmdb.Tmdb | None = None
        self._youtube: youtube.YouTube | None = None
        self._spotify: spotify.Spotify | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: ProviderSettings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> AsyncIterator["Catalog"]:
        """Open connections to the providers that have keys; ask nothing yet. `now` tells the day of YouTube's quota."""
        catalog = cls(Gathering(Unknowns(settings.unknown_entries, settings.unknown_ttl_s)))
        async with AsyncExitStack() as stack:

            def exchange(origin: str, pace: Pace, query_key: dict[str, str] | None = None) -> Exchange:
                opened = Exchange(pace.provider, origin, pace, settings.timeout_s, query_key=query_key)
                stack.push_async_callback(opened.aclose)
                return opened

            if key := settings.tvdb_api_key:
                pace = Pace("tvdb", settings.tvdb_requests_per_s)
                catalog._tvdb = tvdb.Tvdb(exchange(settings.tvdb_origin, pace), key)
            if token := settings.tmdb_api_read_access_token:
                pace = Pace("tmdb", settings.tmdb_requests_per_s)
                catalog._tmdb = tmdb.Tmdb(exchange(settings.tmdb_origin, pace), token)
            if key := settings.youtube_api_key:
                pace = Pace("youtube", settings.youtube_requests_per_s)
                catalog._youtube = youtube.YouTube(exchange(settings.youtube_origin, pace, {"key": key}), now)
            if (name := settings.spotify_client_id) and (secret := settings.spotify_client_secret):
                pace = Pace("spotify", settings.spotify_requests_per_s)
                api, accounts = (
                    exchange(origin, pace) for origin in (settings.spotify_api_origin, settings.spotify_accounts_origin)
                )
                catalog._spotify = spotify.Spotify(api, accounts, name, secret)
            yield catalog

    async def tvdb_series(self, ids: Sequence[int], within_s: float) -> list[Result[Series]]:
        """Return one result an id, in order."""
        by = Deadline(within_s)
        return await self._each(Kind.TVDB_SERIES, ids, lambda one: _set(self._tvdb, "tvdb").series(one, by))

    async def tvdb_movies(self, ids: Sequence[int], within_s: float) -> list[Result[Movie]]:
        """Return one result an id, in order."""
        by = Deadline(within_s)
        return await self._each(Kind.TVDB_MOVIE, ids, lambda one: _set(self._tvdb, "tvdb").movie(one, by))

    async def tmdb_series(self, ids: Sequence[int], within_s: float) -> list[Result[Series]]:
        """Return one result an id, in order."""
        by = Deadline(within_s)
        return await self._each(Kind.TMDB_SERIES, ids, lambda one: _set(self._tmdb, "tmdb").series(one, by))

    async def tmdb_movies(self, ids: Sequence[int], within_s: float) -> list[Result[Movie]]:
        """Return one result an id, in order."""
        by = Deadline(within_s)
        return await self._each(Kind.TMDB_MOVIE, ids, lambda one: _set(self._tmdb, "tmdb").movie(one, by))

    async def videos(self, ids: Sequence[str], within_s: float) -> list[Result[Video]]:
        """Return one result a YouTube video id, in order."""
        by = Deadline(within_s)
        return await self._texts(
            Kind.YOUTUBE_VIDEO, ids, lambda some: _set(self._youtube, "youtube").videos(some, by), youtube.CHUNK
        )

    async def channels(self, ids: Sequence[str], within_s: float) -> list[Result[Channel]]:
        """Return one result a YouTube channel id, in order."""
        by = Deadline(within_s)
        return await self._texts(
            Kind.YOUTUBE_CHANNEL, ids, lambda some: _set(self._youtube, "youtube").channels(some, by), youtube.CHUNK
        )

    async def episodes(self, ids: Sequence[str], within_s: float) -> list[Result[Episode]]:
        """Return one result a Spotify episode id, in order."""
        by = Deadline(within_s)

        async def ask(some: Sequence[str]) -> list[Result[Episode]]:
            return [await _set(self._spotify, "spotify").episode(one, by) for one in some]

        return await self._texts(Kind.SPOTIFY_EPISODE, ids, ask, 1)

    async def show_episodes(self, show_id: str, within_s: float) -> Listing:
        """Return the episodes of a Spotify show, and what is missing of them."""
        if not _ID.fullmatch(show_id):
            return Listing((), Unknown(Kind.SPOTIFY_SHOW_EPISODE, show_id))
        try:
            return await _set(self._spotify, "spotify").show_episodes(show_id, Deadline(within_s))
        except ProviderFailure as failure:
            return Listing((), failed(Kind.SPOTIFY_SHOW_EPISODE, show_id, failure))

    async def search(self, kind: Kind, name: str, within_s: float) -> list[Hit] | Failed:
        """Return up to ten titles of a name, best first; `kind` is a series or movie of TVDB or TMDB."""
        by = Deadline(within_s)
        try:
            if kind in {Kind.TVDB_SERIES, Kind.TVDB_MOVIE}:
                return await _set(self._tvdb, "tvdb").search(kind, name, by)
            if kind in {Kind.TMDB_SERIES, Kind.TMDB_MOVIE}:
                return await _set(self._tmdb, "tmdb").search(kind, name, by)
        except ProviderFailure as failure:
            return failed(kind, name, failure)
        raise ValueError(f"{kind} cannot be searched by name")

    async def _each(
        self, kind: Kind, ids: Sequence[int], ask: Callable[[int], Awaitable[Found[M] | Unknown]]
    ) -> list[Result[M]]:
        async def ask_one(some: Sequence[int]) -> list[Result[M]]:
            return [await ask(one) for one in some]

        return await self._gathering.look_up(kind, ids, ask_one)

    async def _texts(
        self,
        kind: Kind,
        ids: Sequence[str],
        ask: Callable[[Sequence[str]], Awaitable[Sequence[Result[M]]]],
        chunk: int,
    ) -> list[Result[M]]:
        """Look up; what no id can look like is unknown unasked, for it would change what else is asked."""
        asked = [one for one in ids if _ID.fullmatch(one)]
        answered = iter(await self._gathering.look_up(kind, asked, ask, chunk=chunk))
        return [next(answered) if _ID.fullmatch(one) else Unknown(kind, one) for one in ids]


def _set(provider: P | None, name: str) -> P:
    if provider is None:
        raise ProviderFailure(f"{name}: no key is set ({_SETTING[name]})", for_all=True)
    return provider
