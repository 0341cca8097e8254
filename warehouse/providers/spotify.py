"""Spotify: single episodes and the episodes of a show, with client credentials.

Source: https://developer.spotify.com/documentation/web-api. Several episodes in one request are no longer offered to
new applications. A show's list may hold nulls, and names its own next page.
"""

import base64
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import msgspec

from warehouse.providers import answers
from warehouse.providers.exchange import Exchange
from warehouse.providers.pacing import Deadline
from warehouse.providers.problems import ProviderFailure, Refused, failed
from warehouse.providers.results import Episode, Failed, Found, Kind, Listing, Unknown
from warehouse.providers.tokens import Grant, Tokens, get_with_token

PAGE = 50
_TOKEN_HOLDS_S = 3600.0
"""The life of a token whose grant does not tell it."""
_BAD_ID = {"invalid id", "invalid base62 id"}
_MOST_MS = 2_147_483_647_000


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = _TOKEN_HOLDS_S


class _Image(msgspec.Struct):
    url: str | None = None


class _Show(msgspec.Struct):
    id: str
    name: str
    images: list[_Image] | None = None


class _Listed(msgspec.Struct):
    id: str
    name: str
    duration_ms: int
    release_date: str | None = None
    release_date_precision: str | None = None


class _Episode(_Listed, kw_only=True):
    show: _Show


class _Error(msgspec.Struct):
    message: str


class _Refusal(msgspec.Struct):
    error: _Error


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next: str | None = None


class Spotify:
    """Look-ups of Spotify. All raise ProviderFailure."""

    def __init__(self, api: Exchange, accounts: Exchange, client_id: str, client_secret: str) -> None:
        self._api = api
        self._accounts = accounts
        self._credentials = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._tokens = Tokens("spotify", self._log_in)

    async def episode(self, episode_id: str, deadline: Deadline) -> Found[Episode] | Unknown:
        """Return one episode, with its show."""
        response = await get_with_token(self._api, self._tokens, f"/v1/episodes/{episode_id}", deadline)
        if _is_unknown(response):
            return Unknown(Kind.SPOTIFY_EPISODE, episode_id, answers.said_unknown(response.content))
        raw = answers.expect_ok("spotify", response)
        return Found(Kind.SPOTIFY_EPISODE, episode_id, read_episode(raw), raw)

    async def show_episodes(self, show_id: str, deadline: Deadline) -> Listing:
        """Return every episode of a show. What stops it on the way is in the listing, beside what was read by then."""
        path: str | None = f"/v1/shows/{show_id}/episodes?limit={PAGE}"
        seen: set[str] = set()
        episodes: list[Found[Episode]] = []
        problem: Failed | None = None
        while path is not None and path not in seen:
            seen.add(path)
            try:
                response = await get_with_token(self._api, self._tokens, path, deadline)
                if _is_unknown(response):
                    unknown = Unknown(Kind.SPOTIFY_SHOW_EPISODE, show_id, answers.said_unknown(response.content))
                    return Listing(tuple(episodes), unknown)
                page = answers.read_page("spotify", answers.expect_ok("spotify", response), _Page)
                path = _following(page.next)
            except ProviderFailure as failure:
                return Listing(tuple(episodes), failed(Kind.SPOTIFY_SHOW_EPISODE, show_id, failure))
            for raw in (bytes(item) for item in page.items):
                try:
                    found = _found(show_id, raw)
                except Refused as refused:
                    problem = failed(Kind.SPOTIFY_SHOW_EPISODE, show_id, refused)
                else:
                    episodes += found
        return Listing(tuple(episodes), problem)

    async def _log_in(self, deadline: Deadline) -> Grant:
        response = await self._accounts.post(
            "/api/token",
            deadline,
            form={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {self._credentials}"},
        )
        if response.status_code != HTTPStatus.OK:
            raise ProviderFailure(f"spotify: refused the log-in ({response.status_code})", for_all=True)
        try:
            grant = answers.read("spotify", response.content, _Token)
        except Refused as refused:
            raise ProviderFailure(f"{refused} (log-in)", for_all=True) from None
        return Grant(grant.access_token, grant.expires_in)


def read_episode(raw: bytes) -> Episode:
    """Return the episode of a raw answer, with its show; raise Refused."""
    item = answers.read("spotify", raw, _Episode)
    show = item.show
    urls = (image.url for image in show.images or () if image.url)
    return _episode(item, show.id, show.name or None, next(urls, None))


def read_listed_episode(show_id: str, raw: bytes) -> Episode:
    """Return the episode of one raw item of a show's list; raise Refused."""
    return _episode(answers.read("spotify", raw, _Listed), show_id, None, None)


def _is_unknown(response: httpx.Response) -> bool:
    """Tell whether nothing has that id: a 404, or the 400 of an id that nothing can have."""
    if response.status_code != HTTPStatus.BAD_REQUEST:
        return response.status_code == HTTPStatus.NOT_FOUND
    try:
        message = answers.read("spotify", response.content, _Refusal).error.message
    except Refused:
        return False
    return message.lower() in _BAD_ID


def _found(show_id: str, raw: bytes) -> list[Found[Episode]]:
    """Return the one episode of an item, none of a null, which stands for an episode that is not available."""
    if raw.strip() == b"null":
        return []
    item = answers.read("spotify", raw, _Listed)
    return [Found(Kind.SPOTIFY_SHOW_EPISODE, item.id, read_listed_episode(show_id, raw), raw)]


def _episode(item: _Listed, show_id: str, show_name: str | None, artwork_url: str | None) -> Episode:
    if not 0 <= item.duration_ms <= _MOST_MS:
        raise Refused("spotify: unexpected answer: duration_ms is out of range")
    return Episode(
        title=answers.named("spotify", "name", item.name),
        show_id=answers.named("spotify", "show.id", show_id),
        show_name=show_name,
        show_artwork_url=artwork_url,
        duration_s=item.duration_ms // 1000,
        released_on=answers.first_day(item.release_date, item.release_date_precision),
    )


def _following(address: str | None) -> str | None:
    """Return path and query of the next page: the token goes to no other host, whatever an answer names."""
    if not address:
        return None
    parts = urlsplit(address)
    if not parts.path.startswith("/v1/shows/"):
        raise Refused("spotify: unexpected answer: next is not a page of a show")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
