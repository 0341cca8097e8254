"""Keys in Postgres: hashed, listed, rotated, revoked; bounds of tenants."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from warehouse.access import keys
from warehouse.access.keys import KeyRecord


def test_a_key_is_shown_once_and_kept_as_a_hash(connection: psycopg.Connection) -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    key = keys.create_key(connection, tenant="acme", name="phone", scopes=["read", "land"], quota=7, expires_at=expires)
    prefix, key_id, secret = key.split("_", 2)
    assert prefix == "ph"
    assert len(secret) * 6 >= 256
    assert keys.load_keys(connection) == {
        hashlib.sha256(key.encode()).hexdigest(): KeyRecord(key_id, "acme", frozenset({"read", "land"}), 7, expires)
    }
    stored: tuple[Any, ...] | None = connection.execute("SELECT api_keys::text FROM api_keys").fetchone()
    assert stored is not None
    assert secret not in stored[0]


def test_a_revoked_key_is_gone_but_listed(connection: psycopg.Connection) -> None:
    key = keys.create_key(connection, tenant="acme", name="phone", scopes=[], quota=None)
    other = keys.create_key(connection, tenant="acme", name="tv", scopes=[], quota=None)
    key_id = key.split("_")[1]
    assert keys.revoke_key(connection, key_id)
    assert not keys.revoke_key(connection, key_id)
    assert list(keys.load_keys(connection)) == [keys.digest(other)]
    listed = {found.name: found.revoked_at is not None for found in keys.list_keys(connection)}
    assert listed == {"phone": True, "tv": False}


@pytest.mark.parametrize("life", [None, timedelta(days=90)])
def test_a_rotated_key_has_a_successor_alike(connection: psycopg.Connection, life: timedelta | None) -> None:
    ends = None if life is None else datetime.now(UTC) + life
    old = keys.create_key(connection, tenant="acme", name="tv", scopes=["land"], quota=9, expires_at=ends)
    new = keys.rotate_key(connection, old.split("_")[1], timedelta(hours=24))
    assert new is not None
    known = keys.load_keys(connection)
    before, after = known[keys.digest(old)], known[keys.digest(new)]
    assert (after.tenant, after.scopes, after.quota) == (before.tenant, before.scopes, before.quota)
    assert before.expires_at is not None
    assert abs(before.expires_at - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    if ends is None:
        assert after.expires_at is None
    else:
        assert after.expires_at is not None
        assert abs(after.expires_at - ends) < timedelta(minutes=1)


def test_grace_never_prolongs_and_what_has_ended_is_not_rotated(connection: psycopg.Connection) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    key = keys.create_key(connection, tenant="acme", name="tv", scopes=["land"], quota=None, expires_at=soon)
    key_id = key.split("_")[1]
    assert keys.rotate_key(connection, key_id, timedelta(days=7)) is not None
    assert keys.load_keys(connection)[keys.digest(key)].expires_at == soon
    assert keys.rotate_key(connection, key_id, timedelta(0)) is not None
    assert keys.rotate_key(connection, key_id, timedelta(days=1)) is None
    assert keys.rotate_key(connection, "unknown", timedelta(days=1)) is None


def test_use_is_noted_at_most_once_a_minute(connection: psycopg.Connection) -> None:
    key_id = keys.create_key(connection, tenant="acme", name="tv", scopes=[], quota=None).split("_")[1]
    assert keys.list_keys(connection)[0].last_used_at is None
    keys.touch_keys(connection, {key_id, "M3W_API_KEY"})
    first = keys.list_keys(connection)[0].last_used_at
    assert first is not None
    keys.touch_keys(connection, {key_id})
    assert keys.list_keys(connection)[0].last_used_at == first


def test_the_bound_of_a_tenant_is_set_changed_and_taken_away(connection: psycopg.Connection) -> None:
    keys.set_quota(connection, "acme", 500)
    keys.set_quota(connection, "acme", 600)
    keys.set_quota(connection, "demo", 5)
    assert keys.load_quotas(connection) == {"acme": 600, "demo": 5}
    keys.set_quota(connection, "acme", keys.UNLIMITED)
    assert keys.load_quotas(connection) == {"demo": 5}
