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
from warehouse.datasets.watches import OUT_PROGRESS_DAILY
from warehouse.store import Store

FIGURES = ("Episodes", "Movies", "Videos", "Podcasts", "Hours", "Days", "Longest run")
"""Rows of the table, as `_cells` fills them."""


def show(console: Console, store: Store, tenant: str, sample: Sample, answers: Mapping[str, Mapping[str, Any]]) -> bool:
    """Print the published sums of each person; return whether they, and what `GET /progress` answered, are true."""
    daily = store.lake.scan(OUT_PROGRESS_DAILY, tenant=tenant).collect()
    columns, right = [], []
    for name, known in sample.truth.items():
        published = _published(daily.filter(pl.col("user_id") == name), sample.synced_on[name])
        columns += [_cells(published), _cells(known)]
        right.append(published == known and _answer_agrees(answers[name], known))
    table = Table(title="Published: watch progress of sample people", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("figure", no_wrap=True)
    for name in sample.truth:
        table.add_column(name, justify="right", no_wrap=True)
        table.add_column("truth", justify="right", no_wrap=True)
    for figure, *cells in zip(FIGURES, *columns, strict=True):
        table.add_row(figure, *cells)
    table.add_row("", *(cell for agrees in right for cell in ("", _verdict(agrees))))
    console.print(table)
    return all(right)


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
    items = [f"{figures.items[kind]:,}" for kind in KINDS.values()]
    return [*items, f"{hours:,.1f}", f"{figures.days}", f"{figures.longest_run_days}"]


def _verdict(agrees: bool) -> str:
    return "[green]agrees[/green]" if agrees else "[red]differs[/red]"
