"""What kinds, titles and open ends of watch progress are called on a page, each with its definition in one line.

Only text is made here; the numbers come from `warehouse.metrics`.
"""

from collections.abc import Mapping
from typing import Any

from dashboards import numbers, theme
from dashboards.cards import Definition
from dashboards.figures.watching import Group
from warehouse.metrics.habit import Change

_CORE, _DAILY = "core_watches", "out_progress_daily"

KINDS = {
    "episode": Group("Episodes", theme.LIGHT.main),
    "movie": Group("Movies", theme.LIGHT.alert),
    "youtube": Group("YouTube", theme.LIGHT.exit),
    "spotify": Group("Podcasts", theme.LIGHT.playback),
}
CONFIDENCES = {
    "measured": Group("Measured by a player", theme.LIGHT.strong),
    "synced": Group("Synced, length known", theme.LIGHT.main),
    "estimated": Group("Estimated", theme.LIGHT.alert),
}
ESTIMATED = (
    "An episode of unknown length counts 20 minutes, anything else of unknown length 0: that is estimated, not known."
)
UNNAMED = {
    "episode": "Shows without a TVDB id",
    "movie": "Movies without a name",
    "youtube": "Videos not described yet",
    "spotify": "Podcast episodes not described yet",
}

DEFINITIONS = tuple(
    Definition(*given)
    for given in (
        ("hours", "Watched", "Σ length of everything watched, whole hours, truncated.", _DAILY),
        ("estimated", "Estimated", "The part of it that a fallback stands for. " + ESTIMATED, _DAILY),
        ("today", "Today", "Minutes watched since local midnight, truncated.", _DAILY),
        (
            "trend",
            "Weekly trend",
            "(minutes of the last 7 × 24 h − lifetime weekly average) / lifetime weekly average, percent; none before "
            "14 days of history.",
            f"{_DAILY}, {_CORE}",
        ),
        ("in_a_row", "Days in a row", "Local days up to today with at least a minute watched, without a gap.", _DAILY),
        ("history", "History", "Whole 24 h periods since the first watch of any kind.", _DAILY),
        ("episode", "Episodes", "Episodes of local shows, each file once.", _DAILY),
        ("movie", "Movies", "Local movies, each file once.", _DAILY),
        ("youtube", "YouTube", "Videos, each once.", _DAILY),
        ("spotify", "Podcasts", "Spotify episodes, each once.", _DAILY),
        (
            "goal",
            "Goals",
            "Minutes of the running local day, or of the week from Monday, against the goal. A streak is a run of days "
            "or weeks that met it; computed anew each time, so that watches which arrive late fill their gap.",
            _DAILY,
        ),
    )
)


def change_in_words(change: Change) -> str:
    """Word the hours a week of recent weeks, those before, and the difference with its interval."""
    recent, before = (numbers.number(hours, "hours") for hours in (change.recent_h, change.before_h))
    return (
        f"The last {change.weeks} whole weeks: {recent} a week; the {change.weeks} before: {before}; "
        f"difference {numbers.signed(change.difference_h, 'hours')} (95 % interval {_bounds(change)})."
    )


def _bounds(change: Change) -> str:
    if change.low_h is None or change.high_h is None:
        return "none, the weeks of each side are alike"
    return numbers.interval(change.low_h, change.high_h, "hours")


def title_of(row: Mapping[str, Any]) -> str:
    """Return what a row of `progress_daily.by_title` is called: its name, else its id, else what it lacks."""
    if row["title_name"] is not None:
        return theme.plain(row["title_name"])
    return UNNAMED[row["kind"]] if row["title_id"] is None else theme.plain(row["title_id"])


def mend(row: Mapping[str, Any]) -> str:
    """Return what a row of `warehouse.metrics.unfinished` waits for, or what its user can do."""
    if row["enrichment"] == "failed":
        return _failed(row)
    if row["kind"] == "episode" and row["tvdb_id"] is None:
        return "Has no TVDB id: playhead sync asks for it. Until then each counts 20 minutes."
    if row["kind"] == "episode":
        return f"Waits for {_provider(row)}, which is asked again. Until then each counts 20 minutes."
    return f"Waits for {_provider(row)}, which is asked again. Until then it counts 0 minutes."


def _failed(row: Mapping[str, Any]) -> str:
    if row["kind"] == "episode":
        return f"{_provider(row)} knows no series {row['tvdb_id']}: give the folder another id with PUT /show."
    if row["kind"] == "movie":
        number = row["tmdb_id"] if row["tvdb_id"] is None else row["tvdb_id"]
        return f"{_provider(row)} knows no movie {number}: it stays, and counts 0 minutes."
    return f"{_provider(row)} does not know it, or not any more: it stays, and counts 0 minutes."


def _provider(row: Mapping[str, Any]) -> str:
    if row["kind"] == "movie":
        return "TMDB" if row["tvdb_id"] is None else "TVDB"
    return {"episode": "TVDB", "youtube": "YouTube", "spotify": "Spotify"}[row["kind"]]
