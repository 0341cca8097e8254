"""Watches summed by local day, title, language and confidence, and what adds up from those sums.

`aggregate` goes from core to `OUT_PROGRESS_DAILY`, on any engine. The roll-ups feed the tracker's contract (`progress`)
and the reports: calendar, weeks, cumulative hours, top titles. Streaks are in `goals`.
"""

from datetime import date, timedelta
from typing import Any, TypeVar, cast

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrameT

from warehouse.datasets.watches import OUT_PROGRESS_DAILY
from warehouse.metrics.watches import counted_confidence, counted_s, title_id

TITLE = ("kind", "title_id")
_SUMS = ("items", "watched_s")
_Frame = TypeVar("_Frame", pl.DataFrame, pl.LazyFrame)


def aggregate(core: IntoFrameT) -> IntoFrameT:
    """Sum core watches into the rows of `OUT_PROGRESS_DAILY`, one for each of its keys.

    `core` is a frame of `CORE_WATCHES`, one row an item, of any engine that Narwhals knows and of any number of users;
    the result is one of the same engine, eager if `core` is. A title without an id has no name and no artwork; where
    watches of one title disagree on them, the greatest text is taken, for it does not depend on the order.
    """
    given = nw.from_native(cast("Any", core))
    watches: nw.LazyFrame[Any] = given.lazy()
    counted = watches.with_columns(
        title_id=title_id(), confidence=counted_confidence(), _s=counted_s().cast(nw.Int64())
    ).with_columns(
        **{name: nw.when(~nw.col("title_id").is_null()).then(nw.col(name)) for name in ("title_name", "artwork_url")}
    )
    sums = counted.group_by(*OUT_PROGRESS_DAILY.key).agg(
        title_name=nw.col("title_name").max(),
        artwork_url=nw.col("artwork_url").max(),
        items=nw.len(),
        watched_s=nw.col("_s").sum(),
        pending_n=(nw.col("enrichment") == "pending").cast(nw.Int64()).sum(),
        failed_n=(nw.col("enrichment") == "failed").cast(nw.Int64()).sum(),
        first_at=nw.col("watched_at").min(),
        last_at=nw.col("watched_at").max(),
    )
    # Engines count and sum in types of their own; texts, days and instants pass as they are.
    out = sums.select(
        nw.col(name).cast(nw.Int64()) if dtype == pl.Int64() else nw.col(name)
        for name, (dtype, _) in OUT_PROGRESS_DAILY.columns.items()
    )
    return cast("IntoFrameT", (out.collect() if isinstance(given, nw.DataFrame) else out).to_native())


def by_instant(core: pl.DataFrame) -> pl.DataFrame:
    """Return [tenant, user_id, watched_at, items, watched_s] of core watches, in no order."""
    counted = nw.from_native(core, eager_only=True).with_columns(watched_s=counted_s().cast(nw.Int64())).to_native()
    sums = {"items": pl.len().cast(pl.Int64), "watched_s": pl.col("watched_s").sum()}
    return counted.group_by("tenant", "user_id", "watched_at").agg(**sums)


def between(frame: pl.DataFrame, first: date | None, last: date | None) -> pl.DataFrame:
    """Return the rows of these local days, both included; None leaves that end open. Of core watches or daily sums."""
    kept = frame if first is None else frame.filter(pl.col("day") >= first)
    return kept if last is None else kept.filter(pl.col("day") <= last)


def by_title(daily: _Frame) -> _Frame:
    """Return [kind, title_id, title_name, artwork_url, items, watched_s] in no order; null ids are one title a kind."""
    return daily.group_by(*TITLE).agg(pl.col("title_name", "artwork_url").max(), pl.col(*_SUMS).sum())


def by_kind_and_day(daily: _Frame) -> _Frame:
    """Return [kind, day, items, watched_s, first_at] of the days with watches of that kind, in no order."""
    return daily.group_by("kind", "day").agg(pl.col(*_SUMS).sum(), pl.col("first_at").min())


def by_day(daily: pl.DataFrame) -> pl.DataFrame:
    """Return [day, items, watched_s] of the days with watches, oldest first."""
    return daily.group_by("day").agg(pl.col(*_SUMS).sum()).sort("day")


def calendar(daily: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return [day, items, watched_s] of every day from `first` to `last`, both included, zeros where nothing was."""
    days = pl.DataFrame({"day": pl.date_range(first, last, "1d", eager=True)})
    return days.join(by_day(daily), on="day", how="left").with_columns(pl.col(*_SUMS).fill_null(0)).sort("day")


def weekly(daily: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
    """Return [week, items, watched_s] of every week that touches `first` to `last`, each summed whole.

    `week` is its Monday; a week without watches has zeros.
    """
    monday, sunday = first - timedelta(days=first.weekday()), last + timedelta(days=6 - last.weekday())
    weeks = calendar(daily, monday, sunday).with_columns(week=pl.col("day").dt.truncate("1w"))
    return weeks.group_by("week").agg(pl.col(*_SUMS).sum()).sort("week")


def cumulative(daily: pl.DataFrame) -> pl.DataFrame:
    """Return [day, watched_s]: all that was watched up to and including each day with watches, oldest first."""
    return by_day(daily).select("day", pl.col("watched_s").cum_sum())


def by_known(daily: pl.DataFrame) -> pl.DataFrame:
    """Return [language, confidence, items, watched_s], most seconds first: how well the hours are known."""
    keys = ("language", "confidence")
    sums = daily.group_by(*keys).agg(pl.col(*_SUMS).sum())
    return sums.sort("watched_s", *keys, descending=[True, False, False], nulls_last=True)


def top_titles(daily: pl.DataFrame, n: int) -> pl.DataFrame:
    """Return the `n` titles of the most seconds, as `by_title`; then by items, then by name and id, nulls last."""
    order = ("watched_s", "items", "title_name", "kind", "title_id")
    down = [True, True, False, False, False]
    return by_title(daily).sort(*order, descending=down, nulls_last=True).head(n)
