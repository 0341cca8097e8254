"""The QoE page's incidents in words: when, how bad beside what was expected, and what explains it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards import numbers
from dashboards.cards import segment_name
from dashboards.catalogue import METRICS, dimension_title
from dashboards.drill_lines import incident_line
from dashboards.qoe_report import QoeReport
from warehouse.metrics.root_causes import SURE

MOST = 12
RULE = (
    "Failures, rebuffering or startup of everybody, of a title, a release, a device … well above what their own last "
    "weeks let expect for the weekday and the hour, by more than chance explains. A slice that is bad only through "
    "another's sessions is not listed again. Times are UTC."
)


@dataclass(frozen=True)
class Told:
    """One incident, as it is printed."""

    metric: str
    slice: str
    state: str
    severity: str
    lasting: bool
    when: str
    value: str
    detail: str
    causes: tuple[str, ...]
    line: str


@dataclass(frozen=True)
class Incidents:
    """What was looked for, and the incidents that were found, open ones first."""

    lead: str
    found: tuple[Told, ...]


def incidents(report: QoeReport) -> Incidents:
    """Word the incidents of a report, or that there are none."""
    rows = report.incidents
    if not rows:
        return Incidents(f"None in the last weeks. {RULE}", ())
    shown = rows[:MOST]
    more = f" The newest {len(shown)} of {len(rows)} are shown." if len(rows) > len(shown) else ""
    return Incidents(RULE + more, tuple(_told(row, report) for row in shown))


def _told(row: Mapping[str, Any], report: QoeReport) -> Told:
    unit = METRICS[row["metric"]].unit
    lasting = row["state"] == "open"
    owner = "" if report.tenant is not None else f" (tenant {segment_name(row['tenant'])})"
    end = "still going on" if lasting else f"over {_moment(row['ended_at'])}"
    return Told(
        metric=row["metric"],
        slice=_slice(row) + owner,
        state="open" if lasting else "over",
        severity=row["severity"],
        lasting=lasting,
        when=f"Began {_moment(row['started_at'])}, {end}; {row['sessions']:,} sessions, "
        f"{numbers.number(100 * row['share'], 'pct')} of all.",
        value=f"{numbers.number(row['peak'], unit)}, where {numbers.number(row['baseline'], unit)} was expected",
        detail=f"95 % interval {numbers.bounds(row['low'], row['high'], unit)}, n = {row['n']:,}",
        causes=_causes(row["causes"]),
        line=incident_line(row, report),
    )


def _causes(causes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Word the values that stand apart; none of them where everything rose alike."""
    sure = [cause for cause in causes if cause["p_value"] < SURE]
    if not sure:
        return ("No single release, device, network or title rose more than the others by more than chance.",)
    return tuple(
        f"{dimension_title(cause['dimension'])} {segment_name(cause['value'])}: "
        f"{numbers.number(100 * cause['share'], 'pct')} of the excess "
        f"(interval {numbers.interval(100 * cause['low'], 100 * cause['high'], 'pct')}) "
        f"with {numbers.number(100 * cause['sessions_share'], 'pct')} of the sessions"
        for cause in sure
    )


def _slice(row: Mapping[str, Any]) -> str:
    if row["dimension"] == "all":
        return "all sessions"
    if row["dimension"] == "content":
        return f"{segment_name(row['content_id'])}, {segment_name(row['stream_type'])}"
    return f"{dimension_title(row['dimension'])} {segment_name(row['value'])}"


def _moment(value: datetime) -> str:
    return f"{numbers.day(value.date())} {value:%H:%M}"
