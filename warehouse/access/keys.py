"""API keys and how much they may ask: made, listed, rotated and revoked. Kept as hashes; the clear key is shown once.

What a request with a key may do is decided in `ingest.guards`, how its limit is held in `ingest.limits`.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row

UNLIMITED = 0
"""The quota of a key that no limit holds for."""


@dataclass(frozen=True)
class KeyRecord:
    """What is known of a key: whose it is, what it may do, requests a window (None: the default), when it ends."""

    key_id: str
    tenant: str
    scopes: frozenset[str]
    quota: int | None
    expires_at: datetime | None


@dataclass(frozen=True)
class ListedKey:
    """A key as `playhead keys list` shows it; its secret is not known to anybody but its owner."""

    key_id: str
    tenant: str
    name: str
    scopes: list[str]
    quota: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    """To about a minute."""


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
    """Make a key and return it in the clear, `ph_<key_id>_<secret>`: the only time that it is seen.

    `quota` is requests a window: None for the default limit, `UNLIMITED` for no limit.
    """
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


def list_keys(connection: psycopg.Connection) -> list[ListedKey]:
    """Return every key, revoked and expired ones too, by tenant and age."""
    with connection.cursor(row_factory=class_row(ListedKey)) as cursor:
        return cursor.execute(
            """
            SELECT key_id, tenant, name, scopes, quota, created_at, expires_at, revoked_at, last_used_at
            FROM api_keys ORDER BY tenant, created_at, key_id
            """
        ).fetchall()


def load_keys(connection: psycopg.Connection) -> dict[str, KeyRecord]:
    """Return every key that is not revoked, by its `digest`; the reader minds `expires_at`."""
    rows = connection.execute(
        "SELECT sha256, key_id, tenant, scopes, quota, expires_at FROM api_keys WHERE revoked_at IS NULL"
    )
    return {
        sha256: KeyRecord(key_id, tenant, frozenset(scopes), quota, expires_at)
        for sha256, key_id, tenant, scopes, quota, expires_at in rows
    }


def rotate_key(connection: psycopg.Connection, key_id: str, grace: timedelta) -> str | None:
    """Make a successor and return it in the clear; both are valid until `grace` is over, then only the successor.

    It has the tenant, name, scopes and quota of the old key and, where that expires, the same life span from now on.
    Return None when there is no such key, or it is revoked or has expired.
    """
    with connection.transaction():
        row = connection.execute(
            """
            SELECT tenant, name, scopes, quota, now() + (expires_at - created_at) FROM api_keys
            WHERE key_id = %s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) FOR UPDATE
            """,
            (key_id,),
        ).fetchone()
        if row is None:
            return None
        tenant, name, scopes, quota, expires_at = row
        key = create_key(connection, tenant=tenant, name=name, scopes=scopes, quota=quota, expires_at=expires_at)
        # LEAST ignores a null: a key that never expires does now.
        connection.execute(
            "UPDATE api_keys SET expires_at = LEAST(expires_at, now() + %s) WHERE key_id = %s", (grace, key_id)
        )
    return key


def revoke_key(connection: psycopg.Connection, key_id: str) -> bool:
    """Revoke a key; tell whether there was one to revoke."""
    statement = "UPDATE api_keys SET revoked_at = now() WHERE key_id = %s AND revoked_at IS NULL"
    return connection.execute(statement, (key_id,)).rowcount > 0


def touch_keys(connection: psycopg.Connection, key_ids: Iterable[str]) -> None:
    """Note that the keys are in use; a key is written at most once a minute."""
    connection.execute(
        """
        UPDATE api_keys SET last_used_at = now()
        WHERE key_id = ANY(%s) AND (last_used_at IS NULL OR last_used_at < now() - INTERVAL '1 minute')
        """,
        (sorted(key_ids),),
    )


def load_quotas(connection: psycopg.Connection) -> dict[str, int]:
    """Return the tenants whose keys share a bound: requests a window."""
    return dict(connection.execute("SELECT tenant, quota FROM tenants").fetchall())


def set_quota(connection: psycopg.Connection, tenant: str, quota: int) -> None:
    """Bound the requests a window of all keys of a tenant together; `UNLIMITED` takes the bound away."""
    if quota == UNLIMITED:
        connection.execute("DELETE FROM tenants WHERE tenant = %s", (tenant,))
    else:
        connection.execute(
            """
            INSERT INTO tenants (tenant, quota) VALUES (%s, %s)
            ON CONFLICT (tenant) DO UPDATE SET quota = excluded.quota
            """,
            (tenant, quota),
        )
