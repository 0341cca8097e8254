"""What a notebook asks of the storage in one line: the sessions behind a number, and the payload behind a session.

It reads the lake that the environment names (`PLAYHEAD_HOME`, `LAKE_URL`) and needs no database. What makes a number
is computed in `warehouse.metrics.drilldown`.
"""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl

from warehouse.datasets import CORE_SESSIONS, RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.metrics import drilldown
from warehouse.settings import StorageSettings


def sessions_behind(
    metric: str,
    tenant: str | None = None,
    day: str | None = None,
    *,
    until: str | None = None,
    limit: int | None = drilldown.MOST,
    **where: str | None,
) -> pl.DataFrame:
    """Return the sessions that make a number, as `drilldown.contributors` does.

    `tenant` None takes all of them together; `day` (ISO 8601, all days by default) is the only day, or the first one
    where `until` names the last; `where` are dimensions with their value. Raises ValueError for what is not known.
    """
    first = date.fromisoformat(day) if day else None
    last = date.fromisoformat(until) if until else first
    lake = _lake()
    days = [one for one in lake.row_counts(CORE_SESSIONS) if first is None or last is None or first <= one <= last]
    core = lake.scan(CORE_SESSIONS, days=days, tenant=tenant)
    return drilldown.contributors(core, metric, where=where, limit=limit)


def payload_of(session: dict[str, Any]) -> Any:
    """Return the payload of a session (a row with `day`, `tenant`, `ingest_id`), as it was sent; None if it is gone."""
    rows = _lake().scan(RAW_SESSIONS, days=[session["day"]], tenant=session["tenant"])
    found = rows.filter(pl.col("ingest_id") == session["ingest_id"]).select("payload").collect()
    return json.loads(found.item()) if found.height else None


def line(metric: str, tenant: str | None, where: Iterable[tuple[str, str | None]] = (), **days: str | None) -> str:
    """Return the call of `sessions_behind` as text, to be copied from a page into a notebook."""
    named = [repr(metric)]
    if tenant is not None:
        named.append(f"tenant={tenant!r}")
    named += [f"{name}={value!r}" for name, value in days.items() if value is not None]
    named += [f"{name}={value!r}" for name, value in where]
    return f"sessions_behind({', '.join(named)})"


def _lake() -> Lake:
    settings = StorageSettings.from_environ()
    return Lake(settings.lake_url, settings.dimensions)
