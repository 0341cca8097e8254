"""Core sessions of the demo's viewers, built from the bodies that they send, without the way over HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from lab.population import Population
from tests.unit.session_frames import START, raw_row
from warehouse.datasets import RAW_SESSIONS
from warehouse.metrics.sessions import build_core


def demo_core(seed: int, dimensions: Mapping[str, str], *, days: int = 14, viewers: int = 700) -> pl.DataFrame:
    """Return the core sessions of a population whose last day is that of `START`."""
    population = Population(seed=seed, end=START + timedelta(days=1), days=days, viewers=viewers)
    rows = [_row(body) for body in population.sessions()]
    core = build_core(pl.DataFrame(rows, schema=RAW_SESSIONS.schema(), orient="row"), dimensions).core
    return core.filter(pl.col("day") >= population.days[0])  # one phone's clock began at 2001


def _row(body: Mapping[str, Any]) -> dict[str, Any]:
    claimed = body.get("sessionStartDateIso")
    started_at = datetime.fromisoformat(claimed) if claimed else datetime.fromtimestamp(body["timestamp"] / 1000, UTC)
    sent_at = datetime.fromtimestamp(body.get("timestamp", 0) / 1000, UTC)
    identity = started_at if isinstance(body["sessionId"], int) else None
    named = {"session_id": str(body["sessionId"]), "identity_at": identity}
    return raw_row(body, day=started_at.date(), started_at=started_at, sent_at=sent_at, **named)
