"""Reading a landed answer again: what a rebuild needs, without any call."""

from collections.abc import Callable

from warehouse.providers import spotify, tmdb, tvdb, youtube
from warehouse.providers.problems import Refused
from warehouse.providers.results import Kind, Metadata

_READERS: dict[Kind, Callable[[bytes], Metadata]] = {
    Kind.TVDB_SERIES: tvdb.read_series,
    Kind.TVDB_MOVIE: tvdb.read_movie,
    Kind.TMDB_SERIES: tmdb.read_series,
    Kind.TMDB_MOVIE: tmdb.read_movie,
    Kind.YOUTUBE_VIDEO: youtube.read_video,
    Kind.YOUTUBE_CHANNEL: youtube.read_channel,
    Kind.SPOTIFY_EPISODE: spotify.read_episode,
}


class MalformedAnswer(ValueError):  # noqa: N818 # named as what it tells of
    """A landed answer that cannot be read; the message names provider and field."""


def read_answer(kind: Kind, raw: bytes, *, show_id: str | None = None) -> Metadata:
    """Return the metadata of a landed `Found.raw`, equal to that of the look-up; raise MalformedAnswer.

    An item of a show's list does not name its show: `show_id` does.
    """
    try:
        if kind is Kind.SPOTIFY_SHOW_EPISODE:
            return spotify.read_listed_episode(show_id or "", raw)
        return _READERS[kind](raw)
    except Refused as refused:
        raise MalformedAnswer(str(refused)) from None
