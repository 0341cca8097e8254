"""Where the numbers of a page come from, in the words of its footer. What else stands there, each page adds itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from dashboards import numbers
from warehouse.datasets import METRICS_VERSION


class Report(Protocol):
    """What every report knows of its making."""

    @property
    def built_at(self) -> datetime:
        """When it was built, UTC."""
        ...

    @property
    def definition_version(self) -> str:
        """Hash of the definitions that its numbers were made by."""
        ...

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows of each table that it was made from."""
        ...


def provenance(report: Report) -> tuple[tuple[str, str], ...]:
    """Return names and values: when the report was built, by which definitions, from how many rows."""
    return (
        ("Built at", numbers.moment(report.built_at)),
        ("Definition version", f"{report.definition_version} (metrics {METRICS_VERSION})"),
        *[(f"Rows of {table}", f"{rows:,}") for table, rows in report.rows.items()],
    )
