"""How Google Takeout and Trakt would export a history, with what such files hold besides: ads, posts, second plays."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from lab.watching.catalogue import Episode, Movie, Series, Video
from lab.watching.history import Watched

Json = dict[str, Any]
_ACTIVITY = {"header": "YouTube", "products": ["YouTube"], "activityControls": ["YouTube watch history"]}
AGAIN = 40
"""Every so many videos is watched a second time, days later."""


def takeout(history: Iterable[Watched]) -> tuple[list[Json], int]:
    """Return `watch-history.json`, newest first, and how many of its entries are no views."""
    views = [(one.at, one.item) for one in history if isinstance(one.item, Video)]
    again = [(at + timedelta(days=3), video) for at, video in views[:-AGAIN:AGAIN]]
    entries = [(at, _view(at, video)) for at, video in views + again]
    at = views[len(views) // 2][0]
    strange = [_ad(at, views[0][1]), _post(at), _removed(at)]
    entries += [(at, entry) for entry in strange]
    return [entry for _, entry in sorted(entries, key=lambda pair: pair[0], reverse=True)], len(strange)


def trakt(history: Sequence[Watched]) -> list[Json]:
    """Return Trakt's `history`, newest first."""
    plays = [(one.at, one.item) for one in history if isinstance(one.item, Episode | Movie)]
    return [_play(number, at, item) for number, (at, item) in enumerate(plays, 1)][::-1]


def _view(at: datetime, video: Video) -> Json:
    channel = video.channel
    return {
        **_ACTIVITY,
        "title": f"Watched {video.title}",
        "titleUrl": f"https://www.youtube.com/watch?v={video.video_id}",
        "subtitles": [{"name": channel.title, "url": f"https://www.youtube.com/channel/{channel.channel_id}"}],
        "time": _text(at),
    }


def _ad(at: datetime, video: Video) -> Json:
    return _view(at, video) | {"title": "Watched an ad", "details": [{"name": "From Google Ads"}], "subtitles": []}


def _post(at: datetime) -> Json:
    url = "https://www.youtube.com/post/UgkxSampleSampleSampleSampleSample"
    return {**_ACTIVITY, "title": "Viewed a post (sample)", "titleUrl": url, "time": _text(at)}


def _removed(at: datetime) -> Json:
    return {**_ACTIVITY, "title": "Watched a video that has been removed", "time": _text(at)}


def _play(number: int, at: datetime, item: Episode | Movie) -> Json:
    base = {"id": number, "watched_at": _text(at), "action": "scrobble"}
    if isinstance(item, Movie):
        return base | {"type": "movie", "movie": _work(item) | {"ids": {"trakt": number, "tmdb": item.tmdb_id}}}
    episode = {"season": item.season, "number": item.number, "title": f"{item.series.title} {item.n + 1}"}
    show = _work(item.series) | {"ids": {"tvdb": item.series.tvdb_id}}
    return base | {"type": "episode", "episode": episode, "show": show}


def _work(item: Movie | Series) -> Json:
    return {"title": item.title, "year": item.year}


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
