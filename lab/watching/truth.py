"""What is true of a sample person's watches, counted from the items themselves.

Independent of the system under observation on purpose: it shares no code with it, so that its figures can be held
against these.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from lab.watching.catalogue import Episode, Item, Movie, PodcastEpisode, Video
from lab.watching.history import Watched

KINDS = {Episode: "episode", Movie: "movie", Video: "youtube", PodcastEpisode: "spotify"}


@dataclass(frozen=True)
class Truth:
    """Items and seconds by kind (episode, movie, youtube, spotify); days with anything, and the longest run of them."""

    items: dict[str, int]
    watched_s: dict[str, int]
    days: int
    longest_run_days: int


def known_truth(history: Iterable[Watched], today: Iterable[Item], zone: ZoneInfo) -> Truth:
    """Count each item once. Days are those of the history, in the person's time zone; today's items are in no day."""
    watched = list(history)
    items = {one.item for one in watched} | set(today)
    days = {one.at.astimezone(zone).date() for one in watched}
    return Truth(
        items={name: sum(isinstance(item, kind) for item in items) for kind, name in KINDS.items()},
        watched_s={name: sum(item.seconds for item in items if isinstance(item, kind)) for kind, name in KINDS.items()},
        days=len(days),
        longest_run_days=longest_run(days),
    )


def longest_run(days: set[date]) -> int:
    """Return the length of the longest run of days without a gap."""
    best = 0
    for day in days:
        if day - timedelta(days=1) in days:
            continue
        length = 1
        while day + timedelta(days=length) in days:
            length += 1
        best = max(best, length)
    return best
