"""The QoE page as its template prints it: headline, sections, footer, all as text and figures.

Its figures are chosen in `dashboards.qoe_cards`, its findings worded in `dashboards.qoe_findings`; nothing here
computes a metric.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards import numbers, worst
from dashboards.cards import Section, Table, Tile, segment_name
from dashboards.catalogue import METRICS
from dashboards.drill_lines import NOTEBOOK, report_line
from dashboards.provenance import provenance
from dashboards.qoe_cards import sections
from dashboards.qoe_findings import Findings, findings, heaviest_table, worst_table
from dashboards.qoe_incidents import Incidents, incidents
from dashboards.qoe_report import ALL_TENANTS, HEADLINE, QoeReport

METHOD = (
    "Every number is computed from sums, counts, second moments and log-spaced histograms kept a day. Ratios are "
    "ratios of sums over the sessions for which every term is known. A null is never a zero: a session that did not "
    "measure something is left out of that number, and n says how many were counted.",
    "Every estimate carries a 95 % interval: the delta method from stored second moments for ratios and means, "
    "Wilson's for proportions, order statistics on the histogram for quantiles, which are within 1 % of the exact "
    "nearest rank. “Too few” stands where n is too small, “not measured” where no session sent what a number needs.",
    "Except where two sets are compared, intervals treat sessions as independent. Sessions of one viewer are alike, so "
    "the true ones are somewhat wider; comparisons therefore take the sessions of one viewer together.",
)


@dataclass(frozen=True)
class Page:
    """Everything that `qoe.html.j2` prints; without sections it says that there is no data."""

    title: str
    period: str
    size: str
    tiles: tuple[Tile, ...]
    incidents: Incidents
    findings: Findings
    sections: tuple[Section, ...]
    worst_sessions: Table | None
    heaviest: Table | None
    facts: tuple[tuple[str, str], ...]
    worst_lead: str = worst.RULE
    notebook: str = NOTEBOOK
    method: tuple[str, ...] = METHOD


def page(report: QoeReport) -> Page:
    """Lay out a report."""
    return Page(
        title=segment_name(report.title),
        period=period(report),
        size=numbers.count(report.sessions, "session"),
        tiles=_tiles(report),
        incidents=incidents(report),
        findings=findings(report),
        sections=sections(report) if report.sessions else (),
        worst_sessions=worst_table(report.worst),
        heaviest=heaviest_table(report.heaviest),
        facts=_facts(report),
    )


def period(report: QoeReport) -> str:
    """Write the days that a report covers."""
    if report.first_day is None or report.last_day is None:
        return "no sessions yet"
    return numbers.period(report.first_day, report.last_day)


def _tiles(report: QoeReport) -> tuple[Tile, ...]:
    summary = {row["metric"]: row for row in report.summary.to_dicts()}
    played = report.play_hours_n > 0
    hours = numbers.number(report.play_hours, "hours") if played else numbers.NOT_MEASURED
    return (
        _counted(report, "sessions", f"{report.sessions:,}", "a count, so no interval"),
        _counted(report, "play_hours", hours, f"a sum, n = {report.play_hours_n:,}", known=played),
        *[_tile(report, summary[metric]) for metric in HEADLINE],
    )


def _counted(report: QoeReport, metric: str, value: str, count: str, *, known: bool = True) -> Tile:
    return Tile(metric, METRICS[metric].title, value, count, known=known, line=report_line(report, metric))


def _tile(report: QoeReport, row: dict[str, Any]) -> Tile:
    metric = METRICS[row["metric"]]
    text = numbers.estimate(row["value"], row["n"], metric.unit)
    known = row["value"] is not None
    interval = numbers.bounds(row["low"], row["high"], metric.unit) if known else ""
    line = report_line(report, metric.name)
    return Tile(metric.name, metric.title, text, f"n = {row['n']:,}", interval, known, line=line)


def _facts(report: QoeReport) -> tuple[tuple[str, str], ...]:
    days = f"{report.first_day} to {report.last_day}, UTC" if report.first_day else "no day has sessions"
    return (
        ("Tenant", segment_name(report.tenant or ALL_TENANTS)),
        ("Period", days),
        *provenance(report),
        ("Sessions in quarantine", _reasons(report.quarantined)),
    )


def _reasons(quarantined: Mapping[str, int]) -> str:
    total = sum(quarantined.values())
    reasons = ", ".join(f"{rule} {count:,}" for rule, count in quarantined.items())
    return f"{total:,} ({reasons})" if total else "none"
