"""The QoE page's findings in words: what stands out, and the table of the worst sessions."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from dashboards import numbers, wording
from dashboards.cards import Column, Table, segment_name
from dashboards.catalogue import METRICS, dimension_title
from dashboards.qoe_report import QoeReport

_OUTCOMES = {
    "video_start_failure": "start failure",
    "exit_before_video_start": "exit before start",
    "playback_failure": "playback failure",
}
_DEVICE_COLUMNS = {"device_model": "Device", "app_version": "App version"}


@dataclass(frozen=True)
class Difference:
    """One metric of a segment beside the rest's, and the difference, all with their intervals."""

    metric: str
    sentence: str
    detail: str


@dataclass(frozen=True)
class Finding:
    """A segment that does worse than the rest, in one or more metrics."""

    segment: str
    dimension: str
    size: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Findings:
    """What was compared and how, and what came of it."""

    lead: str
    found: tuple[Finding, ...] = ()


def findings(report: QoeReport) -> Findings:
    """Word the segments that stand out, or that none does."""
    if not report.segments:
        return Findings("No release, device or other dimension was sent, so there is nothing to compare.")
    if report.standouts.is_empty():
        return Findings(
            f"None of {report.segments} releases, devices, networks … does worse than the rest by more than chance "
            "explains, or has sessions enough to tell."
        )
    grouped = report.standouts.group_by("dimension", "segment", maintain_order=True)
    return Findings(_lead(report), tuple(_finding(rows.to_dicts()) for _, rows in grouped))


def _lead(report: QoeReport) -> str:
    return (
        "Where viewers had it worse than the rest by more than chance explains, surest first: the chance that any of "
        f"these is false is at most 5 % (Holm, {report.standouts['comparisons'][0]:,} comparisons), the intervals of "
        f"the differences hold at 95 % for all of them together, and the comparison {report.assumption}. A difference "
        "is not yet a cause: a release may simply have reached other devices."
    )


def _finding(rows: list[dict[str, Any]]) -> Finding:
    first = rows[0]
    return Finding(
        segment=segment_name(first["segment"]),
        dimension=dimension_title(first["dimension"]),
        size=f"{max(row['n'] for row in rows):,} sessions",
        differences=tuple(Difference(row["metric"], wording.sides(row), wording.difference(row)) for row in rows),
    )


def worst_table(frame: pl.DataFrame) -> Table | None:
    """Print `dashboards.worst.worst_sessions` as a table; None when no session went badly."""
    if frame.is_empty():
        return None
    shown = [name for name in _DEVICE_COLUMNS if name in frame.columns]
    columns = (
        Column("Session", code=True),
        Column("Day", brief=True),
        Column("Content"),
        *[Column(_DEVICE_COLUMNS[name]) for name in shown],
        Column("What was bad"),
        Column("Ingest id", code=True),
    )
    rows = tuple(
        (
            segment_name(row["session_id"]),
            row["day"].isoformat(),
            segment_name(row["content_id"]),
            *[segment_name(row[name]) for name in shown],
            _fault(row),
            row["ingest_id"],
        )
        for row in frame.to_dicts()
    )
    return Table(f"The {len(rows)} worst sessions", columns, rows)


def heaviest_table(frame: pl.DataFrame) -> Table | None:
    """Print `dashboards.heaviest.heaviest` as a table; None where nothing was measured."""
    if frame.is_empty():
        return None
    columns = (
        Column("Metric"),
        Column("Weight", numeric=True),
        Column("Session", code=True),
        Column("Day", brief=True),
        Column("Content"),
        Column("Ingest id", code=True),
    )
    return Table("The sessions that weigh most", columns, tuple(_heavy(row) for row in frame.to_dicts()))


def _heavy(row: dict[str, Any]) -> tuple[str, ...]:
    metric = METRICS[row["metric"]]
    quantile = row["metric"].startswith("startup_ms_p")
    weight = numbers.weight(row["contribution"], metric.unit)
    return (
        metric.title,
        numbers.number(row["contribution"], metric.unit) if quantile else weight,
        segment_name(row["session_id"]),
        row["day"].isoformat(),
        segment_name(row["content_id"]),
        row["ingest_id"],
    )


def _fault(row: dict[str, Any]) -> str:
    parts = [_OUTCOMES[row["outcome"]]] if row["outcome"] in _OUTCOMES else []
    if row["startup_ms"]:
        parts.append(f"startup {numbers.number(row['startup_ms'], 'ms')}")
    if row["rebuffer_ms"]:
        count = row["rebuffer_count"] or 0
        stalls = f" in {count:,} stalls" if count > 1 else ""
        parts.append(f"stalled {numbers.number(row['rebuffer_ms'], 'ms')}{stalls}")
    return ", ".join(parts)
