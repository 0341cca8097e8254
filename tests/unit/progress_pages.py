"""Reports of watch progress for the tests of pages, built from watches by the real metrics: a year of two users."""

import random
from datetime import date, timedelta
from typing import Any

import polars as pl

from dashboards.progress_report import ProgressReport, build
from tests.unit.report_pages import EVIL
from tests.unit.watch_frames import NOW, core, episode, watch
from warehouse.metrics import progress_daily
from warehouse.metrics.goals import Goal

KNOWN = {"enrichment": "found"}
LONG_AGO = date(2025, 1, 1)
GOALS = {"alice": {None: (Goal("day", 30, LONG_AGO), Goal("week", 300, LONG_AGO)), "de": (Goal("week", 60, LONG_AGO),)}}
ZONES = {("t", EVIL): "Europe/Berlin"}
SHOWS = (("Dark", 53, "de"), ("Borgen", 58, "da"), (EVIL, 45, None), ("Terrace House", 40, "ja"))


def watches(days: int = 400) -> list[dict[str, Any]]:
    """A year of watching of every kind, some of it not described, some unknown to its provider; the last is today."""
    draw = random.Random(11)
    rows = [_evening(draw, ago) for ago in range(days) if not ago or draw.random() < 0.62]
    return [row for evening in rows for row in evening] + _other_user()


def _evening(draw: random.Random, ago: int) -> list[dict[str, Any]]:
    at = NOW - timedelta(days=ago, minutes=draw.randrange(600))
    name, minutes, language = draw.choice(SHOWS)
    series = {"title_name": name, "tvdb_id": 100 + len(name), "duration_s": minutes * 60, "language": language}
    rows = [episode(name, f"e{ago}-{part}", at, **series, **KNOWN) for part in range(draw.randrange(3))]
    if not ago % 3:
        channel = {"channel_id": f"UC{ago % 7}", "title_name": f"Easy Languages {ago % 7}", "language": "de"}
        rows.append(watch("youtube", f"v{ago}", at, **channel, duration_s=draw.randrange(200, 2400), **KNOWN))
    if not ago % 5:
        show = {"show_id": "s1", "title_name": "Slow German", "language": "de", "duration_s": 1260}
        rows.append(watch("spotify", f"p{ago}", at, **show, **KNOWN))
    if not ago % 40:
        film = {"tvdb_id": ago + 1, "title_name": f"Film {ago}", "duration_s": 7000}
        rows.append(watch("movie", f"film {ago}.mkv", at, **film, **KNOWN))
    if not ago % 9:
        rows.append(episode(f"unnamed{EVIL}", f"u{ago}", at))
    if not ago % 90:
        rows.append(watch("youtube", f"gone{ago}", at, enrichment="failed"))
    return rows


def more() -> list[dict[str, Any]]:
    """Half a year of watching, three times as much of it in the last weeks."""
    series = {"title_name": "Dark", "tvdb_id": 104, "duration_s": 3180} | KNOWN
    return [
        episode("Dark", f"e{ago}-{part}", NOW - timedelta(days=ago), **series)
        for ago in range(200)
        for part in range((3 if ago < 80 else 1) + (ago % 5 == 0))
    ]


def _other_user() -> list[dict[str, Any]]:
    return [episode("Show", "e1", user_id=EVIL), watch("movie", "film.mkv", user_id=EVIL, tmdb_id=603)]


def placed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return core(rows, ZONES)


def report(core_rows: pl.DataFrame, **changes: Any) -> ProgressReport:
    given: dict[str, Any] = {"tenant": "t", "built_at": NOW, "definition_version": "abc123", "goals": GOALS}
    return build(progress_daily.aggregate(core_rows), core_rows, **given | changes)
