"""Telling the world of incidents: a queue in Postgres, posted in order, at least once, never in anybody's way.

What is an incident and when it changes is in `warehouse.incidents.finding`.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from warehouse.incidents.finding import Change
from warehouse.metrics.incident_terms import slice_name

NEWS = timedelta(days=3)
"""What has been over for longer when it is first found is stored, not told: a load of old data rings no bell."""
PAUSES_S = (0.25, 1.0)
"""Between the tries of one run; what fails them all is tried again by the next run."""
TIMEOUT_S = 3.0
_LOCK = 0x506C6179_00000006
_TOLD = (
    "incident_id", "tenant", "dimension", "value", "content_id", "stream_type", "metric", "state", "severity",
    "started_at", "ended_at", "detected_at", "peak", "low", "high", "baseline", "n", "sessions", "share", "also",
)  # fmt: skip


@dataclass(frozen=True)
class Delivered:
    """How many events were taken by the receiver, how many still wait, and why the first of those does."""

    sent: int = 0
    waiting: int = 0
    error: str | None = None


def queue(connection: psycopg.Connection, changes: Iterable[Change], now: datetime) -> int:
    """Queue what changed, with a key that is the same in every try; return how many events are new."""
    queued = 0
    for change in changes:
        incident = change.incident
        if (incident["ended_at"] or now) < now - NEWS:
            continue
        with connection.transaction():
            told = connection.execute(
                "SELECT count(*) FROM incident_deliveries WHERE incident_id = %s AND event = %s",
                (incident["incident_id"], change.event),
            ).fetchone()
            key = f"{incident['incident_id']}:{change.event}:{told[0] if told else 0}"
            connection.execute(
                """
                INSERT INTO incident_deliveries (idempotency_key, tenant, incident_id, event, body, queued_at)
                VALUES (%s, %s, %s, %s, %s, %s)
                """,
                (key, incident["tenant"], incident["incident_id"], change.event, Jsonb(_body(key, change)), now),
            )
        queued += 1
    return queued


def deliver(connection: psycopg.Connection, url: str, now: datetime) -> Delivered:
    """Post what waits, oldest first, until one fails all its tries; raises psycopg errors, but none of the receiver's.

    A receiver that gets an event twice knows it by its key, in the body and the header `Idempotency-Key`. Another
    process that is delivering is left to it.
    """
    locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    if not (locked and locked[0]):
        return Delivered()
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute("SELECT * FROM incident_deliveries WHERE delivered_at IS NULL ORDER BY position")
            waiting = cursor.fetchall()
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            for sent, event in enumerate(waiting):
                attempts, error = _post(client, url, event)
                connection.execute(
                    """
                    UPDATE incident_deliveries SET attempts = attempts + %s, error = %s, delivered_at = %s
                    WHERE idempotency_key = %s
                    """,
                    (attempts, error, None if error else now, event["idempotency_key"]),
                )
                if error:
                    return Delivered(sent, len(waiting) - sent, error)
        return Delivered(len(waiting))
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _post(client: httpx.Client, url: str, event: Mapping[str, Any]) -> tuple[int, str | None]:
    """Return how often an event was posted, and why the last try failed."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": event["idempotency_key"]}
    error: str | None = None
    for tried, pause in enumerate((*PAUSES_S, None), 1):
        try:
            # The status is all that matters: a body that never ends is not waited for.
            with client.stream("POST", url, content=json.dumps(event["body"]), headers=headers) as answer:
                error = None if answer.is_success else f"answered {answer.status_code}"
        except httpx.HTTPError as failure:
            error = f"{type(failure).__name__}: {failure}"
        if error is None or pause is None:
            return tried, error
        time.sleep(pause)
    raise AssertionError("unreachable")


def _body(key: str, change: Change) -> dict[str, Any]:
    incident = change.incident
    told = {name: incident[name] for name in _TOLD}
    name = slice_name(incident)
    times = f"{incident['peak']:.4g}, expected {incident['baseline']:.4g} (score {incident['score']:.1f})"
    return {
        "event": change.event,
        "idempotency_key": key,
        "text": f"{change.event}: {incident['metric']} of {name}, tenant {incident['tenant']}: {times}",
        "incident": json.loads(json.dumps(told | {"slice": name}, default=_plain))
        | {"causes": json.loads(incident["causes"]) if isinstance(incident["causes"], str) else incident["causes"]},
    }


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
