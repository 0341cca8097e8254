"""Incidents as they are kept: found anew by every run, stored once each, and what becomes of them.

When there is one is decided in `warehouse.metrics.incidents`, what explains it in `warehouse.metrics.root_causes`;
telling the world is in `warehouse.incidents.webhooks`.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row

from warehouse.datasets import CORE_SESSIONS, OUT_QOE_HOURLY, Dataset
from warehouse.metrics import incident_groups, incidents, root_causes
from warehouse.metrics.incident_series import STEP, Grain
from warehouse.metrics.incident_terms import columns, slice_name
from warehouse.store import Store
from warehouse.tables.incidents import INCIDENTS

SOURCE: Dataset = OUT_QOE_HOURLY
GRAIN: Grain = "hour"
HISTORY = timedelta(days=35)
"""How far back a run looks: incidents that began earlier stay as they were stored."""
SETTLED = timedelta(hours=3)
"""A step is judged when it has been over for so long: sessions that play are told of later than those that fail."""

_LOCK = 0x506C6179_00000005
_NAMESPACE = uuid.UUID("6c1e0f0e-7a0c-5d55-9e8c-52b7f3d54b0e")
_OVER = {"resolved", "withdrawn"}
_COLUMNS = tuple(column.name for column in INCIDENTS.columns)


@dataclass(frozen=True)
class Change:
    """What became of an incident: `opened` or `resolved`, and its row as stored."""

    event: str
    incident: Mapping[str, Any]


def find(store: Store) -> pl.DataFrame:
    """Return the incidents of the last weeks of data: rows of `incident_groups.distinct` and `causes`, JSON."""
    until = _settled(store.settings.now())
    days = [day for day in store.lake.row_counts(SOURCE) if day <= until.date()]
    recent = [day for day in days if day >= max(days) - HISTORY]
    out = store.lake.scan(SOURCE, days=recent).filter(pl.col("hour") < until).collect()
    rules, dimensions = store.settings.incidents.thresholds, tuple(store.settings.dimensions)
    found = incidents.detect(out, GRAIN, rules, until=until)
    core = store.lake.scan(CORE_SESSIONS, days=_concerned(found, until))
    alone = incident_groups.distinct(found, core, until, rise=rules.rise)
    causes = [_causes(store, row, dimensions, until) for row in alone.to_dicts()]
    return alone.with_columns(pl.Series("causes", [json.dumps(rows) for rows in causes], dtype=pl.String))


def _settled(now: datetime) -> datetime:
    """Return the end of the last step that is over and complete."""
    since = now - SETTLED - datetime.min.replace(tzinfo=UTC)
    return datetime.min.replace(tzinfo=UTC) + since // STEP[GRAIN] * STEP[GRAIN]


def _concerned(found: pl.DataFrame, until: datetime) -> set[date]:
    spans = found.select("started_at", pl.col("ended_at").fill_null(until)).rows()
    return {
        (first + timedelta(days=step)).date()
        for first, last in spans
        for step in range((last - first) // timedelta(days=1) + 2)
    }


def _causes(store: Store, row: Mapping[str, Any], dimensions: Sequence[str], until: datetime) -> list[dict[str, Any]]:
    first = row["started_at"] - timedelta(days=root_causes.REFERENCE_DAYS)
    span = (row["ended_at"] or until) - first
    days = [(first + timedelta(days=step)).date() for step in range(span // timedelta(days=1) + 2)]
    core = store.lake.scan(CORE_SESSIONS, days=days, tenant=row["tenant"]).select(columns(row["metric"], dimensions))
    return root_causes.rank(core, row, dimensions, until).to_dicts()


def keep(connection: psycopg.Connection, found: pl.DataFrame, now: datetime) -> list[Change]:
    """Store what a run found, each incident once; return what changed, in order. Raises psycopg errors.

    A found incident is one that is stored if tenant and metric are the same, their times overlap, and the slice of one
    is among those that tell of the other. An open one that is found no more is withdrawn: later data tells of none.
    """
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute("SELECT * FROM incidents WHERE state <> 'withdrawn' ORDER BY started_at, incident_id")
        stored = cursor.fetchall()
        taken: set[uuid.UUID] = set()
        changes: list[Change] = []
        for row in found.sort("started_at", "metric", maintain_order=True).to_dicts():
            former = [old for old in stored if old["incident_id"] not in taken and _same(old, row)]
            new = _row(row, former[0]["incident_id"] if former else None, now)
            taken |= {old["incident_id"] for old in former} | {new["incident_id"]}
            _write(cursor, new)
            for other in former[1:]:
                _write(cursor, {**other, "state": "withdrawn"})
            changes += _changes(former[0]["state"] if former else None, new)
        for old in stored:
            if old["state"] == "open" and old["incident_id"] not in taken:
                withdrawn = {**old, "state": "withdrawn", "ended_at": now}
                _write(cursor, withdrawn)
                changes.append(Change("resolved", withdrawn))
    return changes


def load(connection: psycopg.Connection, tenant: str | None = None) -> list[dict[str, Any]]:
    """Return the stored incidents of a tenant, or of all: the open ones first, then the newest."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            """
            SELECT * FROM incidents WHERE state <> 'withdrawn' AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s)
            ORDER BY state = 'open' DESC, started_at DESC, score DESC
            """,
            {"tenant": tenant},
        )
        return cursor.fetchall()


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    end = datetime.max.replace(tzinfo=UTC)
    if (old["tenant"], old["metric"]) != (new["tenant"], new["metric"]):
        return False
    overlapping = old["started_at"] < (new["ended_at"] or end) and new["started_at"] < (old["ended_at"] or end)
    names = [{slice_name(row), *row["also"]} for row in (old, new)]
    return overlapping and (slice_name(old) in names[1] or slice_name(new) in names[0])


def _row(found: Mapping[str, Any], incident_id: uuid.UUID | None, now: datetime) -> dict[str, Any]:
    identity = [found["tenant"], slice_name(found), found["metric"], found["started_at"].isoformat()]
    row = {name: found.get(name) for name in _COLUMNS}
    return row | {
        "incident_id": incident_id or uuid.uuid5(_NAMESPACE, json.dumps(identity)),
        "state": "resolved" if found["ended_at"] else "open",
        "seen_at": now,
    }


def _changes(former: str | None, new: Mapping[str, Any]) -> Iterable[Change]:
    if former is None or (former in _OVER and new["state"] == "open"):
        yield Change("opened", new)
    if new["state"] == "resolved" and former not in _OVER:
        yield Change("resolved", new)


def _write(cursor: psycopg.Cursor[Any], row: Mapping[str, Any]) -> None:
    values = {**row, "causes": row["causes"] if isinstance(row["causes"], str) else json.dumps(row["causes"])}
    cursor.execute(_UPSERT, [values[name] for name in _COLUMNS])


_UPSERT = f"""
    INSERT INTO incidents ({", ".join(_COLUMNS)}) VALUES ({", ".join(["%s"] * len(_COLUMNS))})
    ON CONFLICT (incident_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _COLUMNS[1:])}
"""  # noqa: S608
