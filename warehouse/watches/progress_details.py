"""What goes beyond the tracker's contract: goals with their streaks, how well hours are known, everything at once.

The progress of the contract is in `progress_reading`; what a goal means is in `warehouse.metrics.goals`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
import psycopg

from warehouse.metrics import goals
from warehouse.metrics.progress import Progress
from warehouse.metrics.progress_daily import by_day, by_known
from warehouse.settings import StorageSettings
from warehouse.watches import goal_setting
from warehouse.watches.progress_reading import View, viewing, whole


@dataclass(frozen=True)
class GoalProgress:
    """How a goal is kept; `language` None for the time in all languages. See `goals.Streak`."""

    language: str | None
    streak: goals.Streak


@dataclass(frozen=True)
class KnownHours:
    """What was watched in a language, by how well it is known: measured, synced or estimated; whole minutes."""

    language: str | None
    confidence: str
    items: int
    minutes_watched: int


@dataclass(frozen=True)
class DayTotal:
    """What was watched on a local day; whole minutes."""

    day: date
    items: int
    minutes_watched: int


@dataclass(frozen=True)
class Details:
    """Goals, hours, and every day with watches, oldest first, in the days of `time_zone`."""

    time_zone: str
    goals: list[GoalProgress]
    hours: list[KnownHours]
    days: list[DayTotal]


@dataclass(frozen=True)
class Export:
    """Everything that is known of a user's watches at `exported_at`; each watch has the columns of `CORE_WATCHES`."""

    user: str
    exported_at: datetime
    progress: Progress
    details: Details
    watches: list[dict[str, Any]]


def details(
    connection: psycopg.Connection, settings: StorageSettings, tenant: str, user_id: str, now: datetime
) -> Details:
    """Return the details of a user at `now`. The connection must not be in a transaction. Raises psycopg errors."""
    with viewing(connection, settings, tenant, user_id, now) as view:
        return _details(view)


def export(
    connection: psycopg.Connection, settings: StorageSettings, tenant: str, user_id: str, now: datetime
) -> Export:
    """Return everything, the oldest watch first. As `details`."""
    with viewing(connection, settings, tenant, user_id, now) as view:
        found = view.watched().drop("tenant", "user_id", "time_zone").sort("watched_at", "kind", "folder", "item")
        return Export(user_id, now, whole(view), _details(view), found.to_dicts())


def _details(view: View) -> Details:
    days = view.days()
    return Details(
        time_zone=view.zone.key,
        goals=[
            GoalProgress(language, streak)
            for language, given in goal_setting.goals_of(view.connection, **view.user).items()
            for streak in goals.streaks(_in_language(days, language), given, view.today)
        ],
        hours=[
            KnownHours(language, confidence, items, seconds // 60)
            for language, confidence, items, seconds in by_known(days).iter_rows()
        ],
        days=[DayTotal(day, items, seconds // 60) for day, items, seconds in by_day(days).iter_rows()],
    )


def _in_language(days: pl.DataFrame, language: str | None) -> pl.DataFrame:
    return days if language is None else days.filter(pl.col("language") == language)
