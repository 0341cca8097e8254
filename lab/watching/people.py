"""The sample people: where they live, what they like, and how much they watch on which day of the week.

What they watched, day by day, is drawn in `lab.watching.history`.
"""

from dataclasses import dataclass, field

from lab.watching.catalogue import CHANNELS, MOVIES, PODCASTS, SERIES, Channel, Movie, Podcast, Series


@dataclass(frozen=True)
class Person:
    """Somebody's habits."""

    name: str
    """User name at the tracker."""
    time_zone: str
    """IANA name."""
    language: str
    """What the person immerses in."""
    weekday_minutes: tuple[int, ...]
    """Typical minutes of each day of the week, from Monday, on days with any."""
    skipped: tuple[float, ...]
    """Share of days without any, from Monday."""
    binge_share: float
    """Share of weekends that are spent on one series."""
    series_share: float
    """Share of the time before a series; the rest goes to videos."""
    goals: dict[str, int] = field(default_factory=dict)
    """Minutes that the person wants to watch, by day or week."""

    @property
    def series(self) -> tuple[Series, ...]:
        """Return the series in the person's language, in the order of watching."""
        return tuple(one for one in SERIES if one.language == self.language)

    @property
    def movies(self) -> tuple[Movie, ...]:
        """Return the movies in the person's language."""
        return tuple(one for one in MOVIES if one.language == self.language)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels in the person's language."""
        return tuple(one for one in CHANNELS if one.language == self.language)

    @property
    def podcast(self) -> Podcast:
        """Return the podcast in the person's language."""
        return next(one for one in PODCASTS if one.language == self.language)


PEOPLE = (
    Person(
        name="demo-hana",
        time_zone="Pacific/Auckland",
        language="ja",
        weekday_minutes=(55, 50, 60, 45, 70, 120, 110),
        skipped=(0.1, 0.1, 0.1, 0.2, 0.1, 0.05, 0.05),
        binge_share=0.3,
        series_share=0.3,
        goals={"day": 40, "week": 420},
    ),
    Person(
        name="demo-mateo",
        time_zone="Europe/Madrid",
        language="es",
        weekday_minutes=(0, 30, 0, 35, 40, 150, 160),
        skipped=(1.0, 0.4, 1.0, 0.4, 0.5, 0.2, 0.1),
        binge_share=0.5,
        series_share=0.7,
        goals={"week": 300},
    ),
    Person(
        name="demo-odile",
        time_zone="America/Toronto",
        language="fr",
        weekday_minutes=(25, 25, 25, 25, 20, 30, 40),
        skipped=(0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.3),
        binge_share=0.1,
        series_share=0.3,
    ),
)
