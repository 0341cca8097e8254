"""Everything that the page of watch progress shows of one tenant, computed with `warehouse.metrics` at one clock.

How it is drawn and worded is in `dashboards.progress_page`; where it is written, in `dashboards.publish`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from warehouse.datasets.watches import CORE_WATCHES, KINDS, OUT_PROGRESS_DAILY
from warehouse.metrics import progress_daily
from warehouse.metrics.goals import Goal, Streak, streaks
from warehouse.metrics.habit import Change, change
from warehouse.metrics.progress import Progress, edge_day, progress
from warehouse.metrics.unfinished import unfinished

WEEKS = 53
"""Weeks of the calendar and the weekly bars, the running one included."""
TITLES = 15

Goals = Mapping[str | None, Sequence[Goal]]
"""A user's goals by language; those for all languages under None."""


@dataclass(frozen=True)
class UserReport:
    """One user's progress; sums are of seconds and items."""

    user_id: str
    zone: ZoneInfo
    today: date
    first_day: date
    last_day: date
    progress: Progress
    total_s: int
    estimated_s: int
    """Of it, what a fallback stands for."""
    in_a_row: Streak
    """Days with at least a minute watched."""
    streaks: tuple[tuple[str | None, Streak], ...]
    """Of the user's own goals, each with the language whose time counts."""
    days: pl.DataFrame
    """[day, items, watched_s] of every day of the last `WEEKS` weeks up to today."""
    weeks: pl.DataFrame
    """[week, kind, items, watched_s] of the same weeks, named by their Monday; up to today."""
    change: Change | None
    """Recent whole weeks against those before."""
    titles: pl.DataFrame
    """As `progress_daily.top_titles` gives the first `TITLES`."""
    title_count: int
    kinds: pl.DataFrame
    """[kind, items, watched_s], in the order of `KINDS`."""
    languages: pl.DataFrame
    """[language, items, watched_s], most first."""
    confidences: pl.DataFrame
    """[confidence, items, watched_s], most first."""
    unfinished: pl.DataFrame
    """As `warehouse.metrics.unfinished` gives it."""


@dataclass(frozen=True)
class ProgressReport:
    """The users of a tenant, by name."""

    tenant: str
    title: str
    built_at: datetime
    definition_version: str
    users: tuple[UserReport, ...]
    rows: Mapping[str, int]
    """Rows counted, by table."""


def build(
    daily: pl.DataFrame,
    core: pl.DataFrame | pl.LazyFrame,
    *,
    tenant: str,
    built_at: datetime,
    definition_version: str,
    goals: Mapping[str, Goals] | None = None,
    title: str | None = None,
) -> ProgressReport:
    """Compute the report of `tenant` from OUT_PROGRESS_DAILY and CORE_WATCHES; rows of other tenants are ignored.

    `built_at` is the clock of every "today", in each user's own time zone; `goals` has those of users by user id.
    """
    daily, own = daily.filter(pl.col("tenant") == tenant), core.lazy().filter(pl.col("tenant") == tenant)
    users = daily.sort("user_id").partition_by("user_id", maintain_order=True)
    found = tuple(_user(rows, own, (goals or {}).get(rows["user_id"][0], {}), built_at) for rows in users)
    core_rows = int(own.select(pl.len()).collect().item())
    return ProgressReport(
        tenant=tenant,
        title=title or tenant,
        built_at=built_at,
        definition_version=definition_version,
        users=found,
        rows={CORE_WATCHES.name: core_rows, OUT_PROGRESS_DAILY.name: daily.height},
    )


def _user(daily: pl.DataFrame, core: pl.LazyFrame, goals: Goals, now: datetime) -> UserReport:
    user_id, zone = daily["user_id"][0], ZoneInfo(daily["time_zone"][0])
    own = core.filter(pl.col("user_id") == user_id)
    today = now.astimezone(zone).date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    edge = own.filter(pl.col("day") == edge_day(now, zone)).collect()
    confidences = _sums(daily, "confidence")
    (in_a_row,) = streaks(daily, (Goal("day", 1, today),), today)
    return UserReport(
        user_id=user_id,
        zone=zone,
        today=today,
        first_day=_day(daily["day"].min()),
        last_day=_day(daily["day"].max()),
        progress=progress(daily, edge, now=now, zone=zone),
        total_s=int(daily["watched_s"].sum()),
        estimated_s=int(confidences.filter(pl.col("confidence") == "estimated")["watched_s"].sum()),
        in_a_row=in_a_row,
        streaks=tuple((language, streak) for language in goals for streak in _streaks(daily, goals, language, today)),
        days=progress_daily.calendar(daily, first, today),
        weeks=_weeks(daily.filter(pl.col("day") <= today), first, today),
        change=change(daily, today),
        titles=progress_daily.top_titles(daily, TITLES),
        title_count=daily.select(*progress_daily.TITLE).n_unique(),
        kinds=_sums(daily, "kind").sort(pl.col("kind").cast(pl.Enum(KINDS))),
        languages=_sums(daily, "language"),
        confidences=confidences,
        unfinished=unfinished(own),
    )


def _streaks(daily: pl.DataFrame, goals: Goals, language: str | None, today: date) -> tuple[Streak, ...]:
    heard = daily if language is None else daily.filter(pl.col("language") == language)
    return streaks(heard, goals[language], today)


def _weeks(daily: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    parts = [
        progress_daily.weekly(daily.filter(pl.col("kind") == kind), first, last).select(
            "week", pl.lit(kind).alias("kind"), "items", "watched_s"
        )
        for kind in KINDS
    ]
    return pl.concat(parts)


def _sums(daily: pl.DataFrame, key: str) -> pl.DataFrame:
    sums = daily.group_by(key).agg(pl.col("items", "watched_s").sum())
    return sums.sort("watched_s", "items", key, descending=[True, True, False], nulls_last=True)


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError(f"not a day: {value!r}")
    return value
