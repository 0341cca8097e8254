"""Users of the tracker: HTTP Basic, verified off the event loop, remembered for a minute.

Users are those of `warehouse.access.users` and of the secrets file; where both have a name, the table goes before.
Every verification does the same work, whether the name is known or not.
"""

import asyncio
import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from argon2.exceptions import VerificationError
from litestar import Request, Response
from litestar.handlers.base import BaseRouteHandler
from litestar.types import ExceptionHandlersMap

from ingest.errors import DatabaseError, Overloaded
from ingest.guards import DEFAULT_TENANT, Connection, count
from ingest.limits import USER
from warehouse.access.users import HASHER, UserRecord, load_users
from warehouse.postgres import Database

REMEMBERED_S = 60.0
MAX_REMEMBERED = 1_000
THREADS = 2
MAX_WAITING = 64
"""Verifications that may wait for a thread; each takes tens of milliseconds and 64 MiB."""


class BasicRequired(Exception):  # noqa: N818 - named as the answer it becomes
    """No user, or a wrong password."""


class Users:
    """The users that are valid now."""

    def __init__(self, hashes: Mapping[str, str]) -> None:
        """Begin with the users of the secrets file, whose password hashes these are."""
        self._named = {name: (hashed, UserRecord(name, DEFAULT_TENANT)) for name, hashed in hashes.items()}
        self._known = dict(self._named)
        self._loaded = False
        self._pepper = secrets.token_bytes(32)
        self._nobody = HASHER.hash(secrets.token_hex())
        self._remembered: dict[bytes, float] = {}
        self._verifying: dict[bytes, asyncio.Future[bool]] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")

    def load(self, database: Database) -> None:
        """Read the users from Postgres. Raises what Postgres raises."""
        with database.connect() as connection:
            self._known = self._named | load_users(connection)
        self._loaded = True

    async def verify(self, name: str, password: str) -> UserRecord:
        """Return whose password it is; raise BasicRequired, Overloaded, or DatabaseError before the users are known."""
        hashed, record = self._known.get(name, (self._nobody, None))
        if record is None and not self._loaded:
            raise DatabaseError("The database, which knows the users, is temporarily unavailable")
        proof = hmac.digest(self._pepper, f"{name}\0{password}\0{hashed}".encode(), "sha256")
        if self._remembered.get(proof, 0.0) > time.monotonic():
            right = True
        else:
            right = await self._verified(proof, hashed, password)
        if record is None or not right:
            raise BasicRequired
        return record

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)

    async def _verified(self, proof: bytes, hashed: str, password: str) -> bool:
        """Compare in a thread, once for all requests that bring the same."""
        verifying = self._verifying.get(proof)
        if verifying is None:
            if len(self._verifying) >= MAX_WAITING:
                raise Overloaded("Too many passwords wait to be verified")
            verifying = asyncio.get_running_loop().run_in_executor(self._threads, _matches, hashed, password)
            self._verifying[proof] = verifying
            verifying.add_done_callback(lambda _: self._verifying.pop(proof))
        right = await asyncio.shield(verifying)
        if right:
            self._remember(proof)
        return right

    def _remember(self, proof: bytes) -> None:
        self._remembered.pop(proof, None)
        if len(self._remembered) >= MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[proof] = time.monotonic() + REMEMBERED_S


async def basic_user(connection: Connection, _: BaseRouteHandler) -> None:
    """Let a user with the right password pass, and make the record the request's `auth`: a guard."""
    users: Users = connection.app.state.users
    name, password = _sent(connection.headers.get("authorization", ""))
    connection.scope["auth"] = await users.verify(name, password)


async def limited_user(connection: Connection, handler: BaseRouteHandler) -> None:
    """Do the same, and count the request against the rate limit of the user and the tenant: for landing routes."""
    await basic_user(connection, handler)
    user: UserRecord = connection.scope["auth"]
    await count(connection, user.tenant, f"{USER}{user.name}", None)


class Unauthorized(msgspec.Struct):
    """What the tracker's clients are told."""

    message: str


def on_basic_required(_: Request[Any, Any, Any], __: BasicRequired) -> Response[Unauthorized]:
    """Answer as the tracker's clients expect it."""
    headers = {"WWW-Authenticate": "Basic"}
    return Response(Unauthorized("Unauthorized"), status_code=401, headers=headers, media_type="application/json")


HANDLERS: ExceptionHandlersMap = {BasicRequired: on_basic_required}
"""For `exception_handlers=…` of the application."""


def _sent(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise BasicRequired
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise BasicRequired from None
    if not colon:
        raise BasicRequired
    return name, password


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except VerificationError:
        return False
