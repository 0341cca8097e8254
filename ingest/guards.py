"""Who may land, and how much: API keys, their scopes and quotas.

`M3W_API_KEY` is always valid and belongs to tenant `default`; other keys are those of `warehouse.access.keys`, known
here by their hashes and read again every two seconds, so that a revoked one stops working in every worker. With
Postgres away the keys last known stay valid. How a quota is held is in `ingest.limits`; users of the tracker are in
`ingest.basic`.
"""

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import sqlalchemy.exc
import structlog
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from ingest import background
from ingest.errors import DatabaseError, Forbidden, InvalidApiKey
from ingest.limits import Limiter
from warehouse.access.keys import KeyRecord, digest, load_keys, load_quotas, touch_keys
from warehouse.postgres import Database

RELOAD_S = 2.0
SILENT_S = 3 * RELOAD_S
"""Since keys were asked for without an answer: longer than a connection is waited for."""

LAND = "land"
READ = "read"
DEFAULT_TENANT = "default"
ALLOWANCE = "allowance"
"""Where the request's `ingest.limits.Allowance` is kept in its state."""

Connection = ASGIConnection[Any, Any, Any, Any]

_log = structlog.get_logger("ingest.guards")


class Keys:
    """The keys that are valid now."""

    def __init__(self, api_key: str) -> None:
        self._own_hash = digest(api_key)
        self._own = KeyRecord("M3W_API_KEY", DEFAULT_TENANT, frozenset({LAND, READ}), None, None)
        self._known: Mapping[str, KeyRecord] | None = None
        self._quotas: Mapping[str, int] = {}
        self._used: set[str] = set()
        self._failed = False
        self._asked_at = time.monotonic()

    @property
    def trouble(self) -> str | None:
        """Why the keys may be out of date: Postgres refuses, or holds the connection and says nothing."""
        silent = time.monotonic() - self._asked_at > SILENT_S
        return "the database does not answer" if self._failed or silent else None

    def find(self, key: str) -> KeyRecord:
        """Return whose key it is; raise InvalidApiKey, or DatabaseError before the keys could be read once."""
        hashed = digest(key)
        if hmac.compare_digest(hashed, self._own_hash):
            return self._own
        if self._known is None:
            raise DatabaseError("The database, which knows the keys, is temporarily unavailable")
        record = self._known.get(hashed)
        if record is None or (record.expires_at is not None and record.expires_at <= datetime.now(UTC)):
            raise InvalidApiKey
        self._used.add(record.key_id)
        return record

    def tenant_quota(self, tenant: str) -> int | None:
        """Return what all keys of a tenant may ask a window; None for no common bound."""
        return self._quotas.get(tenant)

    def load(self, database: Database) -> None:
        """Read the keys from Postgres, and note there which were used. Raises what Postgres raises."""
        used, self._used = self._used, set()
        with database.connect() as connection:
            self._known, self._quotas = load_keys(connection), load_quotas(connection)
            if used:
                touch_keys(connection, used)

    async def keep_loaded(self, database: Database, *others: Callable[[Database], None]) -> None:
        """Read the keys again and again, and what `others` read, until cancelled."""
        while True:
            await asyncio.sleep(RELOAD_S)
            self._asked_at = time.monotonic()
            try:
                for load in (self.load, *others):
                    await background.aside(partial(load, database))
            except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
                self._failed = True
                _log.warning("keys not reloaded", reason=str(error).strip())
            else:
                self._failed = False


def require(scope: str, *, limited: bool = False) -> Guard:
    """Return a guard that lets a valid key with this scope pass, and makes its record the request's `auth`.

    With `limited`, each request also counts against the rate limit of its key and tenant: for landing routes. It is a
    coroutine, for Litestar would run a plain function in a thread.
    """

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        state = connection.app.state
        keys: Keys = state.api_keys
        record = keys.find(_sent_key(connection))
        if scope not in record.scopes:
            raise Forbidden(f"The API key lacks the scope {scope!r}")
        connection.scope["auth"] = record
        if limited:
            await count(connection, record.tenant, record.key_id, record.quota)

    return guard


def reader(connection: Connection) -> str | None:
    """Return the tenant of the key that was sent, None where none was. Raises InvalidApiKey, Forbidden."""
    if "x-api-key" not in connection.headers and "authorization" not in connection.headers:
        return None
    keys: Keys = connection.app.state.api_keys
    record = keys.find(_sent_key(connection))
    if READ not in record.scopes:
        raise Forbidden(f"The API key lacks the scope {READ!r}")
    return record.tenant


async def count(connection: Connection, tenant: str, key_id: str, quota: int | None) -> None:
    """Count a request against the limit of a key or user and that of its tenant. Raises RateLimitExceeded."""
    state = connection.app.state
    limiter: Limiter = state.limiter
    keys: Keys = state.api_keys
    allowance = await limiter.take(tenant, key_id, quota, keys.tenant_quota(tenant))
    connection.scope["state"][ALLOWANCE] = allowance


def _sent_key(connection: Connection) -> str:
    key = connection.headers.get("x-api-key")
    if key is None:
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidApiKey
    if not (key := key.strip()):
        raise InvalidApiKey
    return key
