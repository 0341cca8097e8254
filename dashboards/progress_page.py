"""The page of watch progress as its template prints it: a block a user, and the footer, all as text and figures.

Its figures are chosen in `dashboards.progress_cards`; nothing here computes a metric.
"""

from dashboards import numbers
from dashboards.cards import Column, Table, Tile, segment_name
from dashboards.choices import Choice, ChoicePage, Listing
from dashboards.progress_cards import sections
from dashboards.progress_report import ProgressReport, UserReport
from dashboards.progress_wording import DEFINITIONS, KINDS, mend
from dashboards.provenance import provenance
from warehouse.datasets.watches import CORE_WATCHES
from warehouse.metrics.goals import PERIODS, Streak

METHOD = (
    "Everything is added up from what was synced and imported, each item once, at its first watch. Days begin at the "
    "user's own midnight, weeks on Monday. These are the numbers of GET /progress at the clock of this page, from the "
    "same definitions.",
    "Sums are of everything known, not of a sample, so they carry no intervals; the comparison of recent weeks with "
    "those before does, a week being one observation. What is not known is the length of some items: what a fallback "
    "stands for is called estimated, 20 minutes an episode and 0 minutes for all else.",
)
MOST_UNFINISHED = 50
"""Groups that are listed."""
_PERIOD_TITLES = {"day": "Daily goal", "week": "Weekly goal"}


def page(report: ProgressReport) -> ChoicePage:
    """Lay out a report."""
    return ChoicePage(
        heading="Watch progress",
        title=segment_name(report.title),
        size=summary(report),
        noun="User",
        empty="Nothing has been watched yet. Once watches have been synced and refreshed, this page fills itself.",
        choices=tuple(_block(report, user, f"user-{at}") for at, user in enumerate(report.users, 1)),
        facts=(
            ("Tenant", segment_name(report.tenant)),
            *provenance(report),
        ),
        method=METHOD,
        definitions=DEFINITIONS,
    )


def summary(report: ProgressReport) -> str:
    """Write how much a report covers: users and hours."""
    hours = sum(user.progress.total_hours_watched for user in report.users)
    return f"{numbers.count(len(report.users), 'user')}, {numbers.count(hours, 'hour')}"


def _block(report: ProgressReport, user: UserReport, anchor: str) -> Choice:
    local = report.built_at.astimezone(user.zone)
    clock = f"{numbers.day(local.date())}, {local:%H:%M} {user.zone.key}"
    return Choice(
        anchor=anchor,
        name=segment_name(user.user_id),
        lead=f"Watched {numbers.period(user.first_day, user.last_day)}; “today” is {clock}.",
        tiles=_tiles(user),
        sections=sections(user, anchor),
        listings=_unfinished(user, anchor),
    )


def _tiles(user: UserReport) -> tuple[Tile, ...]:
    progress = user.progress
    minutes_today = progress.daily_activity[-1].minutes_watched
    trend = progress.weekly_trend_percentage
    items_today = user.days["items"][-1]
    counts = {
        "episode": (progress.total_episodes_watched, progress.episodes_watched_today),
        "movie": (progress.total_movies_watched, progress.movies_watched_today),
        "youtube": (progress.youtube_videos_watched, progress.youtube_videos_watched_today),
        "spotify": (progress.spotify_episodes_watched, progress.spotify_episodes_watched_today),
    }
    return (
        Tile("hours", "Watched", f"{progress.total_hours_watched:,}\u00a0h", numbers.count(_items(user), "item")),
        Tile("estimated", "Estimated", numbers.duration(user.estimated_s), "of it, not known"),
        Tile("today", "Today", numbers.duration(60 * minutes_today), numbers.count(items_today, "item")),
        _trend(trend),
        _in_a_row(user.in_a_row),
        Tile("history", "History", numbers.count(progress.days_since_first_episode, "day"), "since the first watch"),
        *[Tile(kind, KINDS[kind].title, f"{ever:,}", f"{today:,} today") for kind, (ever, today) in counts.items()],
        *_goals(user.streaks),
    )


def _items(user: UserReport) -> int:
    return int(user.kinds["items"].sum())


def _trend(trend: float | None) -> Tile:
    if trend is None:
        return Tile("trend", "Weekly trend", "none yet", "needs 14 days", known=False)
    return Tile("trend", "Weekly trend", numbers.signed(trend, "pct"), "against the average")


def _in_a_row(streak: Streak) -> Tile:
    return Tile("in_a_row", "Days in a row", f"{streak.current:,}", f"longest {streak.longest:,}")


def _goals(streaks: tuple[tuple[str | None, Streak], ...]) -> list[Tile]:
    overall = {streak.period for language, streak in streaks if language is None}
    missing = [
        Tile("goal", _PERIOD_TITLES[period], "not set", "playhead users set", known=False)
        for period in PERIODS
        if period not in overall
    ]
    return [*(_goal(language, streak) for language, streak in streaks), *missing]


def _goal(language: str | None, streak: Streak) -> Tile:
    of = "" if language is None else f", {segment_name(language)}"
    return Tile(
        "goal",
        f"{_PERIOD_TITLES[streak.period]}{of}",
        numbers.duration(60 * streak.minutes),
        f"of {numbers.duration(60 * streak.goal_minutes)}{', met' if streak.met else ''}",
        more=f"streak {streak.current:,}, longest {streak.longest:,}",
    )


def _unfinished(user: UserReport, anchor: str) -> tuple[Listing, ...]:
    """Return the groups that providers have not described, what failed first; nothing where there are none."""
    columns = (
        Column("What"),
        Column("Kind", brief=True),
        Column("Items", numeric=True),
        Column("State", brief=True),
        Column("What helps"),
    )
    rows = tuple(
        (
            segment_name(row["name"]),
            KINDS[row["kind"]].title,
            f"{row['items']:,}",
            "not known" if row["enrichment"] == "failed" else "pending",
            mend(row),
        )
        for row in user.unfinished.head(MOST_UNFINISHED).to_dicts()
    )
    table = Table("What providers have not described", columns, rows)
    lead = _unfinished_lead(user)
    listing = Listing(f"{anchor}-unfinished", "Not described yet", "Not described", lead, CORE_WATCHES.name, table)
    return (listing,) if rows else ()


def _unfinished_lead(user: UserReport) -> str:
    items = int(user.unfinished["items"].sum())
    lead = f"{numbers.count(items, 'item')} that no provider has described. All count already, with the time below."
    if user.unfinished.height > MOST_UNFINISHED:
        lead += f" The first {MOST_UNFINISHED} of {user.unfinished.height:,} groups are listed."
    return lead
