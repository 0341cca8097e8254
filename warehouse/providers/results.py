"""What a look-up answers: one result an asked id, and the metadata in it, in the providers' own terms.

How the answers are read is in each provider's module.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar


class Kind(StrEnum):
    """What is asked of whom; with an id, it names one raw answer for good."""

    TVDB_SERIES = "tvdb/series"
    TVDB_MOVIE = "tvdb/movie"
    TMDB_SERIES = "tmdb/series"
    TMDB_MOVIE = "tmdb/movie"
    YOUTUBE_VIDEO = "youtube/video"
    YOUTUBE_CHANNEL = "youtube/channel"
    SPOTIFY_EPISODE = "spotify/episode"
    SPOTIFY_SHOW_EPISODE = "spotify/show_episode"

    @property
    def provider(self) -> str:
        """Return the provider's name, as in messages."""
        return self.partition("/")[0]


@dataclass(frozen=True)
class Series:
    """A series; `runtime_minutes` is the average of its episodes, None where the provider has none."""

    name: str
    artwork_url: str | None
    runtime_minutes: int | None


@dataclass(frozen=True)
class Movie:
    """A movie; `runtime_minutes` None where the provider has none."""

    name: str
    artwork_url: str | None
    runtime_minutes: int | None


@dataclass(frozen=True)
class Video:
    """A YouTube video; `duration_s` in seconds, None while it is live or yet to come (`P0D`)."""

    title: str
    channel_id: str
    channel_title: str | None
    duration_s: int | None


@dataclass(frozen=True)
class Channel:
    """A YouTube channel."""

    title: str
    artwork_url: str | None


@dataclass(frozen=True)
class Episode:
    """A Spotify episode; `duration_s` in whole seconds.

    `released_on` is the first day of the month or year where the provider knows no more. The show's name and artwork
    are None in a show's list, which does not repeat them.
    """

    title: str
    show_id: str
    show_name: str | None
    show_artwork_url: str | None
    duration_s: int
    released_on: date | None


Metadata: TypeAlias = Series | Movie | Video | Channel | Episode
M_co = TypeVar("M_co", bound=Metadata, covariant=True)


@dataclass(frozen=True)
class Found(Generic[M_co]):
    """The provider knows it. `raw` is its answer, valid UTF-8 JSON without U+0000, to be landed."""

    kind: Kind
    id: int | str
    metadata: M_co
    raw: bytes


@dataclass(frozen=True)
class Unknown:
    """The provider says that it does not exist. `raw` is that answer, `null` where it has no JSON of its own."""

    kind: Kind
    id: int | str
    raw: bytes = b"null"


@dataclass(frozen=True)
class Failed:
    """Not known yet: `reason` names the provider, `retry_after_s` when to ask again, where that is known."""

    kind: Kind
    id: int | str
    reason: str
    retry_after_s: int | None = None


Result: TypeAlias = Found[M_co] | Unknown | Failed


@dataclass(frozen=True)
class Listing:
    """The episodes of a show, newest first as the provider lists them; `problem` says why some are missing."""

    episodes: tuple[Found[Episode], ...]
    problem: Unknown | Failed | None = None


@dataclass(frozen=True)
class Hit:
    """One title that a search by name found."""

    kind: Kind
    id: int
    name: str
    year: int | None
    artwork_url: str | None
