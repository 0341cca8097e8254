"""YouTube Data v3: videos and channels, up to 50 ids a request, which costs one unit of the day's quota.

Source: https://developers.google.com/youtube/v3/docs. Unknown ids are missing from `items`. The quota begins anew at
midnight Pacific. The key goes into the query string, below the client (`exchange`).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from http import HTTPStatus
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import httpx
import msgspec

from warehouse.providers import answers
from warehouse.providers.exchange import ATTEMPTS, Exchange
from warehouse.providers.pacing import Deadline
from warehouse.providers.problems import ProviderFailure, Refused, failed
from warehouse.providers.results import Channel, Found, Kind, Result, Unknown, Video

CHUNK = 50
_PACIFIC = ZoneInfo("America/Los_Angeles")
_OUT_OF_QUOTA = {"quotaExceeded", "dailyLimitExceeded"}
_TOO_FAST = {"rateLimitExceeded", "userRateLimitExceeded"}
_BAD_KEY = b"API_KEY_INVALID"
_ARTWORK = ("high", "medium", "default")

M = TypeVar("M", Video, Channel)
Answer: TypeAlias = bytes | ProviderFailure
"""The raw item of one id, or why there is none."""


class _Thumbnail(msgspec.Struct):
    url: str | None = None


class _ChannelSnippet(msgspec.Struct):
    title: str | None = None
    thumbnails: dict[str, _Thumbnail] = {}


class _Channel(msgspec.Struct):
    id: str
    snippet: _ChannelSnippet


class _VideoSnippet(msgspec.Struct):
    title: str
    channelId: str  # noqa: N815 # the provider's name
    channelTitle: str | None = None  # noqa: N815


class _Details(msgspec.Struct):
    duration: str


class _Video(msgspec.Struct):
    id: str
    snippet: _VideoSnippet
    contentDetails: _Details  # noqa: N815


class _Items(msgspec.Struct):
    items: list[msgspec.Raw] = []


class _Reason(msgspec.Struct):
    reason: str | None = None


class _Error(msgspec.Struct):
    errors: list[_Reason] = []


class _Refusal(msgspec.Struct):
    error: _Error


class YouTube:
    """Look-ups of YouTube; `now` tells the time of the quota's day."""

    def __init__(self, exchange: Exchange, now: Callable[[], datetime]) -> None:
        self._exchange = exchange
        self._now = now

    async def videos(self, ids: Sequence[str], deadline: Deadline) -> list[Result[Video]]:
        """Return one result an id, of at most 50 different ones, in their order. Raises ProviderFailure for all."""
        return await self._chunk(Kind.YOUTUBE_VIDEO, ids, read_video, deadline)

    async def channels(self, ids: Sequence[str], deadline: Deadline) -> list[Result[Channel]]:
        """As `videos`."""
        return await self._chunk(Kind.YOUTUBE_CHANNEL, ids, read_channel, deadline)

    async def _chunk(
        self, kind: Kind, ids: Sequence[str], read: Callable[[bytes], M], deadline: Deadline
    ) -> list[Result[M]]:
        try:
            items = await self._items(kind, ids, deadline)
        except Refused as refused:
            if len(ids) == 1:
                raise
            items = await self._halves(kind, ids, deadline, refused)
        return [_result(kind, one, items.get(one), read) for one in ids]

    async def _halves(self, kind: Kind, ids: Sequence[str], deadline: Deadline, refused: Refused) -> dict[str, Answer]:
        """Ask for each half of what was refused, so that one bad id does not lose the rest.

        Where both are refused and no id is to blame, it is the provider: that ends it.
        """
        halves = ids[: len(ids) // 2], ids[len(ids) // 2 :]
        outcomes: list[dict[str, Answer] | ProviderFailure] = []
        for half in halves:
            try:
                outcomes.append(await self._items(kind, half, deadline, attempts=1))
            except ProviderFailure as failure:
                outcomes.append(failure)
        if all(isinstance(outcome, ProviderFailure) for outcome in outcomes) and not refused.blames_id:
            raise refused
        found: dict[str, Answer] = {}
        for half, outcome in zip(halves, outcomes, strict=True):
            if isinstance(outcome, Refused) and len(half) > 1:
                try:
                    outcome = await self._halves(kind, half, deadline, outcome)
                except ProviderFailure as failure:
                    outcome = failure
            found |= dict.fromkeys(half, outcome) if isinstance(outcome, ProviderFailure) else outcome
        return found

    async def _items(
        self, kind: Kind, ids: Sequence[str], deadline: Deadline, attempts: int = ATTEMPTS
    ) -> dict[str, Answer]:
        path, part = _ASKED[kind]
        params = {"part": part, "id": ",".join(ids), "maxResults": str(CHUNK)}
        response = await self._exchange.get(path, deadline, params=params, attempts=attempts)
        if response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}:
            self._check_refusal(response)
        page = answers.read_page("youtube", answers.expect_ok("youtube", response), _Items)
        raws = [bytes(item) for item in page.items]
        named = [(answers.document("youtube", raw), raw) for raw in raws]
        return {item["id"]: raw for item, raw in named if isinstance(item, dict) and isinstance(item.get("id"), str)}

    def _check_refusal(self, response: httpx.Response) -> None:
        """Raise ProviderFailure where the quota, the rate or the key is the reason, not an id."""
        reasons = _reasons(response.content)
        if reasons & _OUT_OF_QUOTA:
            raise self._exchange.slow_down(until_quota_resets(self._now()), "the day's quota is used up")
        if reasons & _TOO_FAST:
            raise self._exchange.slow_down(1.0)
        if _BAD_KEY in response.content:
            raise ProviderFailure("youtube: refused the key (400)", for_all=True)


_ASKED = {
    Kind.YOUTUBE_VIDEO: ("/youtube/v3/videos", "snippet,contentDetails"),
    Kind.YOUTUBE_CHANNEL: ("/youtube/v3/channels", "snippet"),
}


def until_quota_resets(now: datetime) -> float:
    """Return the seconds until the next midnight Pacific, over a change of summer time too."""
    tomorrow = now.astimezone(_PACIFIC).date() + timedelta(days=1)
    return (datetime.combine(tomorrow, time(), _PACIFIC).astimezone(UTC) - now).total_seconds()


def read_video(raw: bytes) -> Video:
    """Return the video of one raw item; raise Refused."""
    item = answers.read("youtube", raw, _Video)
    title = answers.named("youtube", "title", item.snippet.title)
    channel_id = answers.named("youtube", "channelId", item.snippet.channelId)
    duration_s = answers.seconds("youtube", item.contentDetails.duration) or None
    return Video(title, channel_id, item.snippet.channelTitle or None, duration_s)


def read_channel(raw: bytes) -> Channel:
    """Return the channel of one raw item, with the largest artwork; raise Refused."""
    snippet = answers.read("youtube", raw, _Channel).snippet
    urls = (snippet.thumbnails[size].url for size in _ARTWORK if size in snippet.thumbnails)
    return Channel(answers.named("youtube", "title", snippet.title), next(filter(None, urls), None))


def _result(kind: Kind, one: str, raw: Answer | None, read: Callable[[bytes], M]) -> Result[M]:
    if raw is None:
        return Unknown(kind, one)
    if isinstance(raw, ProviderFailure):
        return failed(kind, one, raw)
    try:
        return Found(kind, one, read(raw), raw)
    except Refused as refused:
        return failed(kind, one, refused)


def _reasons(raw: bytes) -> set[str]:
    try:
        refusal = answers.read("youtube", raw, _Refusal)
    except Refused:
        return set()
    return {error.reason for error in refusal.error.errors if error.reason}
