"""Everything that the page of engagement shows of one tenant: how far sessions came into each title.

How it is drawn and worded is in `dashboards.engagement_page`; where it is written, in `dashboards.publish`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from warehouse.datasets.events import OUT_ENGAGEMENT
from warehouse.metrics import engagement_curves
from warehouse.metrics.registry import MIN_N

MOST_TITLES = 12
"""Titles that have a block of their own: those with most sessions."""
MOST_RANKED = 20
CURVE_STEPS = 100
LEFT_STEPS = 20
FEWEST = MIN_N["proportion"]
"""Below so many sessions a share says too little."""


@dataclass(frozen=True)
class TitleReport:
    """One title. Shares have [first_s, last_s, value, low, high, n], one row a step of the title."""

    content_id: str
    totals: Mapping[str, object]
    """A row of `engagement_curves.totals`."""
    reached: pl.DataFrame
    left: pl.DataFrame
    replays: pl.DataFrame
    """[first_s, last_s, replays]: seconds that a session watched again."""


@dataclass(frozen=True)
class EngagementReport:
    """The titles of a tenant, the one with most sessions first."""

    tenant: str
    title: str
    built_at: datetime
    definition_version: str
    first_day: date | None
    last_day: date | None
    titles: tuple[TitleReport, ...]
    completion: pl.DataFrame
    """[content_id, value, low, high, n] of the titles whose length enough sessions know, the highest first."""
    overall: Mapping[str, object]
    """The same of all titles together."""
    title_count: int
    sessions: int
    """Over titles: a session that plays two counts in both."""
    rows: Mapping[str, int]


def build(
    engagement: pl.DataFrame, *, tenant: str, built_at: datetime, definition_version: str, title: str | None = None
) -> EngagementReport:
    """Compute the report of `tenant` from `OUT_ENGAGEMENT`; rows of other tenants are ignored."""
    own = engagement.filter(pl.col("tenant") == tenant)
    totals = engagement_curves.totals(own).sort("sessions_n", "content_id", descending=[True, False])
    chosen = totals.head(MOST_TITLES)
    shown = own.join(chosen, on="content_id", how="semi")
    return EngagementReport(
        tenant=tenant,
        title=title or tenant,
        built_at=built_at,
        definition_version=definition_version,
        first_day=_day(own["day"].min()),
        last_day=_day(own["day"].max()),
        titles=_titles(shown, chosen),
        completion=_completion(totals),
        overall=engagement_curves.totals(own.with_columns(content_id=pl.lit(""))).to_dicts()[0] if own.height else {},
        title_count=totals.height,
        sessions=int(totals["sessions_n"].sum()),
        rows={OUT_ENGAGEMENT.name: own.height},
    )


def _titles(rows: pl.DataFrame, totals: pl.DataFrame) -> tuple[TitleReport, ...]:
    fine, coarse = engagement_curves.steps(rows, CURVE_STEPS), engagement_curves.steps(rows, LEFT_STEPS)
    frames = {
        "reached": engagement_curves.proportion(fine, "began_n", "reached_n"),
        "left": engagement_curves.proportion(coarse, "reached_n", "left_n"),
        "replays": fine.with_columns(replays=pl.col("watches_sum") - pl.col("sessions_sum")),
    }
    return tuple(
        TitleReport(
            content_id=row["content_id"],
            totals=row,
            **{name: frame.filter(pl.col("content_id") == row["content_id"]) for name, frame in frames.items()},
        )
        for row in totals.to_dicts()
    )


def _completion(totals: pl.DataFrame) -> pl.DataFrame:
    known = totals.filter(pl.col("length_n") >= FEWEST).sort("sessions_n", descending=True).head(MOST_RANKED)
    return known.sort("completion_ratio", "content_id", descending=[True, False]).select(
        "content_id", value="completion_ratio", low="completion_low", high="completion_high", n="length_n"
    )


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
