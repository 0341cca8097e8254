"""Who may land: API keys and their scopes.

`M3W_API_KEY` is always valid and belongs to tenant `default`; other keys are those of `warehouse.keys`, known here by
their hashes and read again every two seconds, so that a revoked one stops working in every worker. With Postgres away
the keys last known stay valid.
"""

import asyncio
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
import sqlalchemy.exc
import structlog
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.types import Guard

from ingest.errors import DatabaseError, Forbidden, InvalidApiKey
from warehouse.keys import KeyRecord, digest, load_keys
from warehouse.postgres import Database

RELOAD_S = 2.0
LAND = "land"
READ = "read"
DEFAULT_TENANT = "default"
Connection = ASGIConnection[Any, Any, Any, Any]

_log = structlog.get_logger("ingest.guards")


class Keys:
    """The keys that are valid now. `trouble` says why they may be out of date."""

    def __init__(self, api_key: str) -> None:
        self._own_hash = digest(api_key)
        self._own = KeyRecord("M3W_API_KEY", DEFAULT_TENANT, frozenset({LAND, READ}), None, None)
        self._known: Mapping[str, KeyRecord] | None = None
        self.trouble: str | None = None

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
        return record

    def load(self, database: Database) -> None:
        """Read the keys from Postgres. Raises what Postgres raises."""
        with database.connect() as connection:
            self._known = load_keys(connection)

    async def keep_loaded(self, database: Database) -> None:
        """Read the keys again and again, until cancelled."""
        while True:
            await asyncio.sleep(RELOAD_S)
            try:
                await asyncio.to_thread(self.load, database)
            except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
                self.trouble = "the database does not answer"
                _log.warning("keys not reloaded", reason=str(error).strip())
            else:
                self.trouble = None


def require(scope: str) -> Guard:
    """Return a guard that lets a valid key with this scope pass, and makes its record the request's `auth`.

    It is a coroutine, for Litestar would run a plain function in a thread.
    """

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        keys: Keys = connection.app.state.api_keys
        record = keys.find(_sent_key(connection))
        if scope not in record.scopes:
            raise Forbidden(f"The API key lacks the scope {scope!r}")
        connection.scope["auth"] = record

    return guard


def _sent_key(connection: Connection) -> str:
    key = connection.headers.get("x-api-key")
    if key is None:
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidApiKey
    if not (key := key.strip()):
        raise InvalidApiKey
    return key
