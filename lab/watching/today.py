"""What a sample person has watched today and not told anybody yet: files in a folder, and a list of links."""

from collections.abc import Iterable
from pathlib import Path

from lab.watching.catalogue import Episode, Item, Movie, PodcastEpisode, Video
from lab.watching.history import SEASONS
from lab.watching.people import Person

_FIRST_NEW = SEASONS * 12
_FIRST_NEW_VIDEO = 900_000


def watched_today(person: Person) -> list[Item]:
    """Return two episodes, a movie, two videos and a podcast, none of which is in the history."""
    series, channel = person.series[0], person.channels[0]
    episodes = [Episode(series, _FIRST_NEW + n) for n in range(2)]
    videos = [channel.video(_FIRST_NEW_VIDEO + n) for n in range(2)]
    return [*episodes, person.movies[-1], *videos, person.podcast.episode(0)]


def lay_out(folder: Path, items: Iterable[Item]) -> None:
    """Put the items into a folder as the tracker's client looks for them."""
    links = []
    for item in items:
        if isinstance(item, Episode):
            _touch(folder / "shows" / item.series.title / "watched" / f"S{item.season:02}E{item.number:02}.mkv")
        elif isinstance(item, Movie):
            _touch(folder / "movies" / "watched" / f"{item.title}.mp4")
        elif isinstance(item, Video):
            links.append(f"https://www.youtube.com/watch?v={item.video_id}&t=30s")
        elif isinstance(item, PodcastEpisode):
            links.append(f"https://open.spotify.com/episode/{item.episode_id}?si=sample")
    (folder / "watched.txt").write_text("".join(f"{link}\n" for link in links), encoding="utf-8")


def _touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
