"""Landing records, as the endpoint makes them, for tests of what happens to them afterwards."""

import json
import uuid
from typing import Any

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z"""


def record(
    session_id: str,
    *,
    tenant: str = "acme",
    started_at: int = START_MS,
    sent_at: int | None = None,
    received_at: int | None = None,
    identity_at: int | None = None,
    ingest_id: str | None = None,
    clock_suspect: bool = False,
    **body: Any,
) -> dict[str, Any]:
    """Return a landing record; times in epoch ms, `received_at` in epoch µs."""
    sent = started_at + 60_000 if sent_at is None else sent_at
    return {
        "kind": "session",
        "tenant": tenant,
        "ingest_id": ingest_id or str(uuid.uuid4()),
        "received_at": sent * 1_000 + 250_000 if received_at is None else received_at,
        "session_id": session_id,
        "identity_at": identity_at,
        "started_at": started_at,
        "sent_at": sent,
        "clock_suspect": clock_suspect,
        "body": {"sessionId": session_id, "sessionDurationMs": 60_000} | body,
    }


def batch(*records: dict[str, Any]) -> bytes:
    """Return the JSON array that the journal holds."""
    return json.dumps(records).encode()
