"""API keys: made, listed and revoked. Kept as hashes; the clear key is shown once.

What a request with a key may do is decided in `ingest.guards`.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg


@dataclass(frozen=True)
class KeyRecord:
    """What is known of a key: whose it is, what it may do, requests a window (None: the default), when it ends."""

    key_id: str
    tenant: str
    scopes: frozenset[str]
    quota: int | None
    expires_at: datetime | None


def digest(key: str) -> str:
    """Return what is kept of a clear key: its SHA-256, hex. Its 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def create_key(
    connection: psycopg.Connection,
    *,
    tenant: str,
    name: str,
    scopes: Iterable[str],
    quota: int | None,
    expires_at: datetime | None = None,
) -> str:
    """Make a key and return it in the clear, `ph_<key_id>_<secret>`: the only time that it is seen."""
    key_id = secrets.token_hex(6)
    key = f"ph_{key_id}_{secrets.token_urlsafe(32)}"
    connection.execute(
        """
        INSERT INTO api_keys (key_id, sha256, tenant, name, scopes, quota, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (key_id, digest(key), tenant, name, sorted(set(scopes)), quota, expires_at),
    )
    return key


def load_keys(connection: psycopg.Connection) -> dict[str, KeyRecord]:
    """Return every key that is not revoked, by its `digest`; the reader minds `expires_at`."""
    rows = connection.execute(
        "SELECT sha256, key_id, tenant, scopes, quota, expires_at FROM api_keys WHERE revoked_at IS NULL"
    )
    return {
        sha256: KeyRecord(key_id, tenant, frozenset(scopes), quota, expires_at)
        for sha256, key_id, tenant, scopes, quota, expires_at in rows
    }


def revoke_key(connection: psycopg.Connection, key_id: str) -> bool:
    """Revoke a key; tell whether there was one to revoke."""
    statement = "UPDATE api_keys SET revoked_at = now() WHERE key_id = %s AND revoked_at IS NULL"
    return connection.execute(statement, (key_id,)).rowcount > 0
