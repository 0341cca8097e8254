"""From a number on a page to the sessions behind it: the line that asks for them in a notebook, to be copied.

The call itself is `warehouse.exploring.sessions_behind`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl

from dashboards.cards import Table
from dashboards.qoe_report import QoeReport
from warehouse.exploring import line
from warehouse.metrics.slices import OTHER

NOTEBOOK = "notebooks/04_session_drilldown.ipynb"
_DIMENSIONS = ("content_id", "stream_type")


def report_line(report: QoeReport, metric: str) -> str:
    """Return the line for a number of the whole period."""
    return _line(report, metric, {})


def with_lines(table: Table, frame: pl.DataFrame, column: str, report: QoeReport) -> Table:
    """Add to every row of a table the line for its number; `frame` has the rows that the table was made of.

    Rows of folded rare values have none: they are no one value.
    """
    return replace(table, lines=tuple(_row_line(row, column, report) for row in frame.to_dicts()))


def incident_line(row: Mapping[str, Any], report: QoeReport) -> str:
    """Return the line for the sessions of an incident, a row of the table `incidents`: whole days, UTC."""
    slices = {name: row[name] for name in _DIMENSIONS} if row["dimension"] == "content" else {}
    if row["dimension"] not in {"all", "content"}:
        slices = {row["dimension"]: row["value"]}
    first = row["started_at"].date()
    last = (row["ended_at"] - timedelta(microseconds=1)).date() if row["ended_at"] else report.last_day or first
    until = None if last <= first else last.isoformat()
    return line(row["metric"], row["tenant"], slices.items(), day=first.isoformat(), until=until)


def _row_line(row: Mapping[str, Any], column: str, report: QoeReport) -> str:
    if column == "day":
        return line(row["metric"], report.tenant, day=row["day"].isoformat())
    if column == "segment":
        return "" if row[column] == OTHER else _line(report, row["metric"], {row["dimension"]: row[column]})
    return _line(report, row["metric"], {column: row[column]} if column in _DIMENSIONS else {})


def _line(report: QoeReport, metric: str, where: Mapping[str, str | None]) -> str:
    days = {
        name: day.isoformat() if day else None for name, day in (("day", report.first_day), ("until", report.last_day))
    }
    return line(metric, report.tenant, where.items(), **days)
