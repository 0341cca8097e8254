"""A seeded year of each sample person: ordinary evenings, weekends on one series, and weeks without anything.

What was watched is here, each with its true length; how Google and Trakt would export it is in `lab.watching.exports`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from lab.watching.catalogue import EPISODES_A_SEASON, MINUTE_S, Episode, Item, Movie, Series, Video
from lab.watching.people import PEOPLE, Person

DAYS = 364
SEASONS = 15
HOLE_DAYS = (8, 15)
"""Length of a time without anything, from and below."""


@dataclass(frozen=True)
class Watched:
    """An item watched to its end at an instant, UTC."""

    at: datetime
    item: Item


@dataclass
class _Shelf:
    """What a person has not watched yet, in order; the last movie is left for today."""

    person: Person
    episodes: Iterator[Episode] = field(init=False)
    movies: Iterator[Movie] = field(init=False)
    videos: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        series = self.person.series
        self.episodes = (Episode(one, n) for one in series[::-1] for n in range(_length(one)))
        self.movies = iter(self.person.movies[:-1])

    def video(self, rng: np.random.Generator) -> Video:
        channel = self.person.channels[int(rng.random() < 0.3)]
        n = self.videos.get(channel.number, 0)
        self.videos[channel.number] = n + 1
        return channel.video(n)


def _length(series: Series) -> int:
    return (SEASONS if series.tvdb_id else 1) * EPISODES_A_SEASON


def histories(seed: int, end: datetime, days: int = DAYS) -> dict[str, list[Watched]]:
    """Return what each person watched in the `days` local days before the day of `end`, by name, oldest first.

    The same seed and the same instant give the same histories. Raises ValueError for an `end` without a time zone.
    """
    if end.tzinfo is None:
        raise ValueError("end needs a time zone")
    return {
        person.name: _history(person, np.random.default_rng([seed, number]), end, days)
        for number, person in enumerate(PEOPLE)
    }


def _history(person: Person, rng: np.random.Generator, end: datetime, days: int) -> list[Watched]:
    zone = ZoneInfo(person.time_zone)
    today = end.astimezone(zone).date()
    shelf, binge = _Shelf(person), False
    watched: list[Watched] = []
    holes = _holes(rng, days)
    for back in range(days, 0, -1):
        day = today - timedelta(days=back)
        if day.weekday() == 5 or back == days:
            binge = rng.random() < person.binge_share
        if back in holes or rng.random() < person.skipped[day.weekday()]:
            continue
        if binge and day.weekday() >= 5:
            watched += _sitting(_binge(rng, shelf), _start(rng, day, zone, hour=11.0))
        else:
            watched += _sitting(_evening(rng, shelf, day), _start(rng, day, zone, hour=19.5))
    return [one for one in watched if one.at.astimezone(zone).date() < today]


def _holes(rng: np.random.Generator, days: int) -> set[int]:
    """Return the days back that lie in one of three holidays."""
    starts = rng.integers(20, days, size=3)
    return {int(start) - n for start in starts for n in range(int(rng.integers(*HOLE_DAYS)))}


def _start(rng: np.random.Generator, day: date, zone: ZoneInfo, hour: float) -> datetime:
    minutes = round(float(rng.normal(hour, 0.7)) * 60)
    return datetime.combine(day, time(), zone).astimezone(UTC) + timedelta(minutes=minutes)


def _binge(rng: np.random.Generator, shelf: _Shelf) -> list[Item]:
    wanted_s = float(rng.uniform(240, 420)) * MINUTE_S
    items: list[Item] = []
    while wanted_s > 0 and (episode := next(shelf.episodes, None)):
        items.append(episode)
        wanted_s -= episode.seconds
    return items


def _evening(rng: np.random.Generator, shelf: _Shelf, day: date) -> list[Item]:
    person = shelf.person
    wanted_s = person.weekday_minutes[day.weekday()] * MINUTE_S * float(rng.lognormal(0.0, 0.35))
    items: list[Item] = []
    if day.weekday() in {4, 5} and rng.random() < 0.04 and (movie := next(shelf.movies, None)):
        return [movie]
    while wanted_s > 0:
        episode = next(shelf.episodes, None) if rng.random() < person.series_share else None
        item = episode or shelf.video(rng)
        items.append(item)
        wanted_s -= item.seconds
    return items


def _sitting(items: list[Item], start: datetime) -> Iterator[Watched]:
    """Yield the items one after the other, each at its end, with a few minutes between them."""
    at = start
    for item in items:
        at += timedelta(seconds=item.seconds)
        yield Watched(at, item)
        at += timedelta(minutes=3)
