"""A user's watch progress as the tracker's `GET /progress` tells it: from daily sums, at a given clock.

Only the contract's numbers and their order are here. Sums are made in `progress_daily`, quarters in `quarters`; what
goes beyond the contract (calendar, top titles, streaks) is there and in `goals`. Nothing here reads every watch but
`from_watches`: the cost follows days and titles, not items.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from warehouse.metrics import quarters
from warehouse.metrics.progress_daily import aggregate, by_day, by_kind_and_day, by_title
from warehouse.metrics.progress_titles import Channel, Movie, Podcast, Show, channels, movies, podcasts, shows
from warehouse.metrics.watches import counted_s, place

ACTIVITY_DAYS = 7
TREND_WINDOW = timedelta(days=7)
TREND_HISTORY_DAYS = 14
"""Below so many whole days since the first watch there is no trend."""
DEFAULT_ZONE = ZoneInfo("Pacific/Auckland")
"""Whose midnights bound the days of a user without a time zone (the tracker's contract)."""


@dataclass(frozen=True)
class DayActivity:
    """One of the last local days: 0 days ago is today; minutes are whole, truncated."""

    days_ago: int
    minutes_watched: int


@dataclass(frozen=True)
class QuarterProgress:
    """A calendar quarter, named by its first month ("Jan 2026"), and the whole hours watched up to its end."""

    label: str
    cumulative_hours: int


@dataclass(frozen=True)
class Progress:
    """The tracker's progress of one user, in the field names and the order of its contract (seed 002)."""

    total_episodes_watched: int
    total_movies_watched: int
    total_hours_watched: int
    episodes_watched_today: int
    movies_watched_today: int
    youtube_videos_watched: int
    youtube_videos_watched_today: int
    spotify_episodes_watched: int
    spotify_episodes_watched_today: int
    days_since_first_episode: int
    weekly_trend_percentage: float | None
    daily_activity: tuple[DayActivity, ...]
    all_time_progress: tuple[QuarterProgress, ...]
    shows: tuple[Show, ...]
    youtube_channels: tuple[Channel, ...]
    spotify_shows: tuple[Podcast, ...]
    movies: tuple[Movie, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract, as plain dicts, lists and scalars."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _plain(value: object) -> object:
    return [dict(vars(row)) for row in value] if isinstance(value, tuple) else value


def edge_day(now: datetime, zone: ZoneInfo = DEFAULT_ZONE) -> date:
    """Return the local day on which the last 7 x 24 h began: the one day of which `progress` needs single watches."""
    return (now.astimezone(UTC) - TREND_WINDOW).astimezone(zone).date()


def edge_window(now: datetime, zone: ZoneInfo = DEFAULT_ZONE) -> tuple[datetime, datetime]:
    """Return the part of `edge_day` that belongs to the last 7 x 24 h: begin and end in UTC, both excluded."""
    midnight = datetime.combine(edge_day(now, zone) + timedelta(days=1), time(), zone)
    return now.astimezone(UTC) - TREND_WINDOW, midnight.astimezone(UTC)


def progress(daily: pl.DataFrame, edge: pl.DataFrame, *, now: datetime, zone: ZoneInfo = DEFAULT_ZONE) -> Progress:
    """Return the progress of one user at `now`, in the days of `zone`.

    `daily` holds the rows of `OUT_PROGRESS_DAILY` of that user, `edge` the core watches of `edge_day` (those of other
    days are passed over). A filter of both by `progress_daily.between` gives the progress of a range of days. Watches
    dated after today count in the totals and in no recent day. Raises ValueError for a clock without an offset, for
    the rows of several users, and for days of another time zone.
    """
    watcher = ("tenant", "user_id", "time_zone")
    _check_one_user(pl.concat([daily.select(watcher), edge.select(watcher)]), zone)
    titles, days = pl.collect_all([by_title(daily.lazy()), by_kind_and_day(daily.lazy())])
    return from_sums(titles, days, _edge_s(edge, now, zone), now=now, zone=zone)


def from_sums(
    titles: pl.DataFrame, days: pl.DataFrame, edge_s: int, *, now: datetime, zone: ZoneInfo = DEFAULT_ZONE
) -> Progress:
    """Return the same from `progress_daily.by_title` and `by_kind_and_day`, for who keeps or queries just these sums.

    `edge_s` are the seconds counted within `edge_window`. Nothing tells here whether the sums are of one user and in
    the days of `zone`: the caller answers for it.
    """
    if now.tzinfo is None:
        raise ValueError("the clock has no UTC offset")
    today = now.astimezone(zone).date()
    seconds: Mapping[date, int] = dict(by_day(days).select("day", "watched_s").iter_rows())
    items, items_today = _items(days), _items(days.filter(pl.col("day") == today))
    first_at = days["first_at"].min()
    history_days = max((now - first_at).days, 0) if isinstance(first_at, datetime) else 0
    return Progress(
        total_episodes_watched=items.get("episode", 0),
        total_movies_watched=items.get("movie", 0),
        total_hours_watched=sum(seconds.values()) // 3600,
        episodes_watched_today=items_today.get("episode", 0),
        movies_watched_today=items_today.get("movie", 0),
        youtube_videos_watched=items.get("youtube", 0),
        youtube_videos_watched_today=items_today.get("youtube", 0),
        spotify_episodes_watched=items.get("spotify", 0),
        spotify_episodes_watched_today=items_today.get("spotify", 0),
        days_since_first_episode=history_days,
        weekly_trend_percentage=_trend(_last_week_s(seconds, edge_s, now, zone), sum(seconds.values()), history_days),
        daily_activity=_activity(seconds, today),
        all_time_progress=_all_time(seconds, today),
        shows=shows(titles),
        youtube_channels=channels(titles),
        spotify_shows=podcasts(titles),
        movies=movies(titles),
    )


def from_watches(watches: pl.DataFrame, *, now: datetime, zone: ZoneInfo = DEFAULT_ZONE) -> Progress:
    """Return the progress of one user from watches as `watches.place` takes them: in any order, with repeats."""
    placed = place(watches, {}, zone.key)
    return progress(aggregate(placed), placed, now=now, zone=zone)


def _check_one_user(watchers: pl.DataFrame, zone: ZoneInfo) -> None:
    if watchers.is_empty():
        return
    user = pl.col("tenant", "user_id")
    if not all(watchers.select((user == user.first()).all()).row(0)):
        raise ValueError("rows of several users")
    others = watchers.filter(pl.col("time_zone") != zone.key)["time_zone"].unique()
    if others.len():
        raise ValueError(f"rows in the days of {', '.join(sorted(others))}, not of {zone.key}")


def _items(days: pl.DataFrame) -> Mapping[str, int]:
    return dict(days.group_by("kind").agg(pl.col("items").sum()).iter_rows())


def _edge_s(edge: pl.DataFrame, now: datetime, zone: ZoneInfo) -> int:
    begin, end = edge_window(now, zone)
    begun = edge.filter((pl.col("watched_at") > begin) & (pl.col("watched_at") < end))
    return int(nw.from_native(begun, eager_only=True).select(_s=counted_s().sum()).item())


def _last_week_s(seconds: Mapping[date, int], edge_s: int, now: datetime, zone: ZoneInfo) -> int:
    """Return the seconds watched after `now` - 7 x 24 h: whole local days, and the part of the day it began on."""
    first, today = edge_day(now, zone), now.astimezone(zone).date()
    return edge_s + sum(amount for day, amount in seconds.items() if first < day <= today)


def _trend(last_s: int, total_s: int, history_days: int) -> float | None:
    """Return how far the last week lies from the lifetime weekly average, in percent of it; null without a history.

    (last - total / days x 7) / (total / days x 7) x 100, multiplied out so that integers stay exact.
    """
    if history_days < TREND_HISTORY_DAYS or total_s == 0:
        return None
    average = total_s * 7
    return (last_s * history_days - average) * 100 / average


def _activity(seconds: Mapping[date, int], today: date) -> tuple[DayActivity, ...]:
    return tuple(
        DayActivity(days_ago, seconds.get(today - timedelta(days=days_ago), 0) // 60)
        for days_ago in reversed(range(ACTIVITY_DAYS))
    )


def _all_time(seconds: Mapping[date, int], today: date) -> tuple[QuarterProgress, ...]:
    points = quarters.cumulative_hours(seconds or {today: 0})
    return tuple(QuarterProgress(quarters.label(quarter), hours) for quarter, hours in points)
