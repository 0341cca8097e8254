"""The few lines of progress that end a sync."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

BAR = 30
_TITLES = (
    ("shows", "name", "episodes_watched", "episode"),
    ("youtube_channels", "channel_name", "videos_watched", "video"),
    ("spotify_shows", "show_name", "episodes_watched", "episode"),
)
_TODAY = (
    ("episodes_watched_today", "episode"),
    ("movies_watched_today", "movie"),
    ("youtube_videos_watched_today", "YouTube video"),
    ("spotify_episodes_watched_today", "Spotify episode"),
)


def show(console: Console, progress: Mapping[str, Any]) -> None:
    """Print the answer of `GET /progress`."""
    for line in lines(progress):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def lines(progress: Mapping[str, Any]) -> list[str]:
    """Return titles, today, the last seven days, and totals, a paragraph each."""
    titles = [
        f"{_counted(title[count], unit)} of {title[name] or 'titles without a name yet'}"
        for group, name, count, unit in _TITLES
        for title in progress[group]
    ]
    titles += [movie["name"] or movie["movie_id"] for movie in progress["movies"]]
    today = ", ".join(_counted(progress[field], unit) for field, unit in _TODAY if progress[field])
    trend = progress["weekly_trend_percentage"]
    days = progress["days_since_first_episode"]
    over = f" over {_counted(days, 'day')}" if days else ""
    totals = [f"{_counted(progress['total_hours_watched'], 'hour')} in all{over}."]
    if trend is not None:
        totals.append(f"The last week: {trend:+.0f} % against the average week.")
    return ["", *titles, *[""] * bool(titles), f"Today: {today or 'nothing yet'}.", *_week(progress), *totals]


def _week(progress: Mapping[str, Any]) -> list[str]:
    days: Sequence[Mapping[str, int]] = progress["daily_activity"]
    most = max((day["minutes_watched"] for day in days), default=0) or 1
    names = {0: "Today", 1: "Yesterday"}
    return [
        f"{names.get(day['days_ago'], str(day['days_ago']) + ' days ago'):<11}"
        f"│{'█' * (day['minutes_watched'] * BAR // most):<{BAR}} {_duration(day['minutes_watched']):>8}"
        for day in days
    ]


def _duration(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:>2} m" if minutes >= 60 else f"{minutes} m"


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
