"""Trakt's watch history, as its API and its data export give it: `history`, `watched/movies`, `watched/shows`.

`history` has an entry a play, `watched` one a movie or a show with the last play of each episode; one watch has one
name in all of them, so that they can be loaded together. A `playback` entry is something that was paused on the way.
"""

from collections.abc import Iterator, Mapping

from playhead.imports.entries import (
    Json,
    NoWatch,
    Read,
    StrangeEntryError,
    Watch,
    instant_at,
    number_at,
    object_at,
    text_at,
)

SOURCE = "trakt"


def is_entry(entry: Json) -> bool:
    """Tell whether an object looks like one of Trakt's."""
    return isinstance(entry, dict) and ("movie" in entry or "show" in entry)


def read_entry(entry: Json) -> Iterator[Read]:
    """Yield the watches of an entry (of a watched show, one an episode), or why there is none."""
    try:
        if "seasons" in entry:
            yield from _episodes(object_at(entry, "show"), _objects(entry, "seasons"))
        else:
            yield _single(entry)
    except StrangeEntryError as strange:
        yield NoWatch(entry, str(strange))


def _single(entry: Json) -> Watch:
    if "paused_at" in entry:
        raise StrangeEntryError(f"paused at {entry.get('progress')} %, not watched to its end")
    if "movie" in entry:
        return _movie(object_at(entry, "movie"), _watched_at(entry))
    episode = object_at(entry, "episode")
    return _episode(object_at(entry, "show"), number_at(episode, "season"), episode, _watched_at(entry))


def _episodes(show: Mapping[str, Json], seasons: list[Mapping[str, Json]]) -> Iterator[Read]:
    for season in seasons:
        for episode in _objects(season, "episodes"):
            try:
                yield _episode(show, number_at(season, "number"), episode, _watched_at(episode))
            except StrangeEntryError as strange:
                yield NoWatch({"show": show, "season": season.get("number"), "episode": episode}, str(strange))


def _episode(show: Mapping[str, Json], season: int, episode: Mapping[str, Json], watched_at: str) -> Watch:
    return Watch(
        "episode",
        f"S{season:02}E{number_at(episode, 'number'):02}",
        watched_at,
        folder=_titled(show),
        name=episode.get("title") or None,
        title=text_at(show, "title"),
        tvdb_id=_id(show, "tvdb"),
    )


def _movie(movie: Mapping[str, Json], watched_at: str) -> Watch:
    return Watch("movie", _titled(movie), watched_at, title=text_at(movie, "title"), tmdb_id=_id(movie, "tmdb"))


def _titled(work: Mapping[str, Json]) -> str:
    """Return title and year, which tell remakes apart."""
    title, year = text_at(work, "title"), work.get("year")
    return f"{title} ({year})" if isinstance(year, int) else title


def _watched_at(entry: Mapping[str, Json]) -> str:
    return instant_at(entry, "watched_at" if "watched_at" in entry else "last_watched_at")


def _id(work: Mapping[str, Json], provider: str) -> int | None:
    ids = work.get("ids")
    value = ids.get(provider) if isinstance(ids, dict) else None
    return value if isinstance(value, int) and value > 0 else None


def _objects(entry: Mapping[str, Json], field: str) -> list[Mapping[str, Json]]:
    value = entry.get(field)
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise StrangeEntryError(f"{field} is not a list of objects")
    return value
