"""The table of sample people that `demo` ends with: what is published of each, beside what is known to be true."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from lab.watching.truth import KINDS, Truth, longest_run
from playhead.sample_watches import Sample
from warehouse.store import Store
from warehouse.watch_datasets import OUT_PROGRESS_DAILY

HEADINGS = ("episodes", "movies", "videos", "podcasts", "hours", "days", "longest run")


def show(console: Console, store: Store, tenant: str, sample: Sample, answers: Mapping[str, Mapping[str, Any]]) -> bool:
    """Print the published sums of each person; return whether they, and what `GET /progress` answered, are true."""
    daily = store.lake.scan(OUT_PROGRESS_DAILY, tenant=tenant).collect()
    table = Table(title="Published: watch progress (sample people)", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("user", "", *HEADINGS, ""):
        table.add_column(heading, justify="right" if heading in HEADINGS else "left", no_wrap=True)
    agree = []
    for name, known in sample.truth.items():
        published = _published(daily.filter(pl.col("user_id") == name), sample.synced_on[name])
        agrees = published == known and _answer_agrees(answers[name], known)
        table.add_row(name, "published", *_cells(published), "")
        table.add_row("", "truth", *_cells(known), "[green]agrees[/green]" if agrees else "[red]differs[/red]")
        agree.append(agrees)
    console.print(table)
    return all(agree)


def _published(daily: pl.DataFrame, before: date) -> Truth:
    sums = daily.group_by("kind").agg(pl.col("items", "watched_s").sum())
    by_kind = {kind: (items, seconds) for kind, items, seconds in sums.select("kind", "items", "watched_s").iter_rows()}
    days = set(daily.filter(pl.col("day") < before)["day"])
    return Truth(
        items={kind: by_kind.get(kind, (0, 0))[0] for kind in KINDS.values()},
        watched_s={kind: by_kind.get(kind, (0, 0))[1] for kind in KINDS.values()},
        days=len(days),
        longest_run_days=longest_run(days),
    )


def _answer_agrees(answer: Mapping[str, Any], known: Truth) -> bool:
    """Tell whether `GET /progress` counts the same; its hours are truncated."""
    fields = {
        "episode": "total_episodes_watched",
        "movie": "total_movies_watched",
        "youtube": "youtube_videos_watched",
        "spotify": "spotify_episodes_watched",
    }
    counted = {kind: answer[field] for kind, field in fields.items()}
    hours = sum(known.watched_s.values()) // 3600
    return counted == known.items and answer["total_hours_watched"] == hours


def _cells(figures: Truth) -> list[str]:
    hours = sum(figures.watched_s.values()) / 3600
    return [
        *(f"{figures.items[kind]:,}" for kind in KINDS.values()),
        f"{hours:,.1f}",
        f"{figures.days}",
        f"{figures.longest_run_days}",
    ]
