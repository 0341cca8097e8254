"""The sample catalogue: series, movies, channels and podcasts in three languages, with the length of each item.

Ids lie where the services have none, so that sample data can never be taken for the real thing. Who watches what is
in `lab.watching.history`; how it is served is in `lab.watching.providers`.
"""

import zlib
from dataclasses import dataclass
from typing import TypeAlias

EPISODES_A_SEASON = 12
MINUTE_S = 60
UNKNOWN_EPISODE_S = 20 * MINUTE_S
"""What an episode counts whose length nobody knows (the tracker's contract)."""


@dataclass(frozen=True)
class Series:
    """A series at TVDB; `tvdb_id` None for one that TVDB does not know."""

    tvdb_id: int | None
    title: str
    year: int
    language: str
    minutes: int


@dataclass(frozen=True)
class Episode:
    """An episode of a series, numbered from 0."""

    series: Series
    n: int

    @property
    def season(self) -> int:
        """Return its season, from 1."""
        return 1 + self.n // EPISODES_A_SEASON

    @property
    def number(self) -> int:
        """Return its number in the season, from 1."""
        return 1 + self.n % EPISODES_A_SEASON

    @property
    def seconds(self) -> int:
        """Return what it counts."""
        return self.series.minutes * MINUTE_S if self.series.tvdb_id else UNKNOWN_EPISODE_S


@dataclass(frozen=True)
class Movie:
    """A movie at TMDB."""

    tmdb_id: int
    title: str
    year: int
    language: str
    minutes: int

    @property
    def seconds(self) -> int:
        """Return its length."""
        return self.minutes * MINUTE_S


@dataclass(frozen=True)
class Channel:
    """A YouTube channel, whose videos are numbered from 0; `minutes` is their typical length."""

    number: int
    title: str
    language: str
    minutes: int

    @property
    def channel_id(self) -> str:
        """Return its id, of the 24 characters that ids of channels have."""
        return f"UCsample{self.number:016}"

    def video(self, n: int) -> "Video":
        """Return the n-th video."""
        return Video(self, n)


@dataclass(frozen=True)
class Video:
    """A video of a channel."""

    channel: Channel
    n: int

    @property
    def video_id(self) -> str:
        """Return its id, of the 11 characters that ids of videos have."""
        return f"smpl{self.channel.number}{self.n:06}"

    @property
    def title(self) -> str:
        """Return its title."""
        return f"{self.channel.title} #{self.n + 1}"

    @property
    def seconds(self) -> int:
        """Return its length: 60 to 150 % of what is typical of the channel."""
        return self.channel.minutes * MINUTE_S * (60 + zlib.crc32(self.video_id.encode()) % 91) // 100


@dataclass(frozen=True)
class Podcast:
    """A show at Spotify, whose episodes are numbered from 0."""

    number: int
    title: str
    language: str
    minutes: int

    @property
    def show_id(self) -> str:
        """Return its id, of the 22 characters that ids of Spotify have."""
        return f"sampleshow{self.number:012}"

    def episode(self, n: int) -> "PodcastEpisode":
        """Return the n-th episode."""
        return PodcastEpisode(self, n)


@dataclass(frozen=True)
class PodcastEpisode:
    """An episode of a podcast."""

    podcast: Podcast
    n: int

    @property
    def episode_id(self) -> str:
        """Return its id, of the 22 characters that ids of Spotify have."""
        return f"sampleepisode{self.podcast.number}{self.n:08}"

    @property
    def seconds(self) -> int:
        """Return its length."""
        return self.podcast.minutes * MINUTE_S


Item: TypeAlias = Episode | Movie | Video | PodcastEpisode

SERIES = (
    Series(990_000_001, "海辺の喫茶店 (sample)", 2019, "ja", 24),
    Series(990_000_002, "夜行列車 (sample)", 2022, "ja", 46),
    Series(990_000_003, "放課後の天文部 (sample)", 2016, "ja", 23),
    Series(990_000_004, "下町の獣医 (sample)", 2020, "ja", 30),
    Series(990_000_005, "La casa del faro (sample)", 2018, "es", 52),
    Series(990_000_006, "Barrio Sur (sample)", 2021, "es", 28),
    Series(990_000_007, "Los años de la radio (sample)", 2015, "es", 48),
    Series(990_000_008, "Puerto Viejo (sample)", 2023, "es", 40),
    Series(990_000_009, "Les Marées (sample)", 2017, "fr", 44),
    Series(990_000_010, "Quartier libre (sample)", 2023, "fr", 26),
    Series(990_000_011, "La Villa des tilleuls (sample)", 2014, "fr", 50),
    Series(None, "Théâtre du samedi (sample)", 1974, "fr", 20),
)
"""The last is in no database: its episodes count the 20 minutes of an unknown length."""

_TITLES = {
    "ja": ("月の裏庭", "最後の夏休み", "硝子の森", "遠い汽笛"),
    "es": ("El puente de sal", "Noche de feria", "Las dos orillas", "Tierra alta"),
    "fr": ("Le phare éteint", "Une semaine à Brest", "Les heures creuses", "Août"),
}
_NAMED = [(title, language) for language, titles in _TITLES.items() for title in titles]
MOVIES = tuple(
    Movie(990_000_100 + n, f"{title} (sample)", 1990 + 2 * n, language, 88 + 7 * (n % 6))
    for n, (title, language) in enumerate(_NAMED)
)

CHANNELS = (
    Channel(1, "毎日聴く日本語 (sample)", "ja", 12),
    Channel(2, "東京さんぽ (sample)", "ja", 25),
    Channel(3, "Español con calma (sample)", "es", 14),
    Channel(4, "Cocina de la abuela (sample)", "es", 18),
    Channel(5, "Français du quotidien (sample)", "fr", 11),
    Channel(6, "Histoire en dix minutes (sample)", "fr", 10),
)

PODCASTS = (
    Podcast(1, "日本語ラジオ (sample)", "ja", 32),
    Podcast(2, "Radio Sobremesa (sample)", "es", 41),
    Podcast(3, "Café noir (sample)", "fr", 27),
)


def video_of(video_id: str) -> Video | None:
    """Return the sample video of an id, None for any other."""
    channel = next((one for one in CHANNELS if video_id.startswith(f"smpl{one.number}")), None)
    number = video_id[5:]
    return Video(channel, int(number)) if channel and len(number) == 6 and number.isdecimal() else None


def podcast_episode_of(episode_id: str) -> PodcastEpisode | None:
    """Return the sample episode of an id, None for any other."""
    podcast = next((one for one in PODCASTS if episode_id.startswith(f"sampleepisode{one.number}")), None)
    number = episode_id[14:]
    return PodcastEpisode(podcast, int(number)) if podcast and len(number) == 8 and number.isdecimal() else None
