"""Users of the tracker: added, changed and removed, or named in a secrets file. Kept with argon2id hashes.

How a password is verified while requests wait is in `ingest.basic`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError
from psycopg import sql
from psycopg.rows import class_row

from warehouse.settings import SettingsError

HASHER = PasswordHasher()
"""argon2id with the library's parameters (RFC 9106, low memory)."""

HASH_PREFIX = "$argon2"
"""How a password of the secrets file begins that is given as its hash."""

CHANGEABLE = frozenset({"tenant", "time_zone", "language"})


@dataclass(frozen=True)
class UserRecord:
    """What is known of a user; the hash stays out of logs."""

    name: str
    tenant: str
    time_zone: str | None = None
    """IANA name; None for the default."""
    language: str | None = None
    """BCP 47 tag."""
    created_at: datetime | None = None
    """None for a user of the secrets file."""


def add_user(
    connection: psycopg.Connection,
    *,
    name: str,
    password: str,
    tenant: str,
    time_zone: str | None = None,
    language: str | None = None,
) -> bool:
    """Add a user; False where the name is taken."""
    return (
        connection.execute(
            """
            INSERT INTO users (name, password_hash, tenant, time_zone, language) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (name) DO NOTHING
            """,
            (name, HASHER.hash(password), tenant, time_zone, language),
        ).rowcount
        > 0
    )


def set_user(connection: psycopg.Connection, name: str, changes: Mapping[str, str | None]) -> bool:
    """Change what `CHANGEABLE` names; False where there is no such user."""
    if not changes or not changes.keys() <= CHANGEABLE:
        raise ValueError(f"can change {', '.join(sorted(CHANGEABLE))}, not {', '.join(sorted(changes)) or 'nothing'}")
    assignments = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in changes)
    statement = sql.SQL("UPDATE users SET {} WHERE name = %s").format(assignments)
    return connection.execute(statement, (*changes.values(), name)).rowcount > 0


def set_password(connection: psycopg.Connection, name: str, password: str) -> bool:
    """Give a user another password; False where there is no such user."""
    statement = "UPDATE users SET password_hash = %s, password_set_at = now() WHERE name = %s"
    return connection.execute(statement, (HASHER.hash(password), name)).rowcount > 0


def remove_user(connection: psycopg.Connection, name: str) -> bool:
    """Remove a user, not what was recorded; False where there is no such user."""
    return connection.execute("DELETE FROM users WHERE name = %s", (name,)).rowcount > 0


def list_users(connection: psycopg.Connection) -> list[UserRecord]:
    """Return every user by name."""
    with connection.cursor(row_factory=class_row(UserRecord)) as cursor:
        return cursor.execute(
            "SELECT name, tenant, time_zone, language, created_at FROM users ORDER BY name"
        ).fetchall()


def load_users(connection: psycopg.Connection) -> dict[str, tuple[str, UserRecord]]:
    """Return hash and record of every user, by name."""
    rows = connection.execute("SELECT password_hash, name, tenant, time_zone, language, created_at FROM users")
    return {row[1]: (row[0], UserRecord(*row[1:])) for row in rows}


def users_of(secrets: Path) -> dict[str, str]:
    """Return password hashes by user name of a secrets file: `{"users": [{"user": …, "password": …}], …}`.

    A password is clear, or an argon2 hash. Raises SettingsError, which shows nothing of the file.
    """
    try:
        users = json.loads(secrets.read_text(encoding="utf-8")).get("users", [])
        pairs = [(str(user["user"]), str(user["password"])) for user in users]
    except OSError as error:
        raise SettingsError(f"PLAYHEAD_SECRETS: {secrets} cannot be read: {error.strerror}") from None
    except (ValueError, AttributeError, TypeError, KeyError):
        raise SettingsError(
            f"PLAYHEAD_SECRETS: {secrets} must hold a JSON object whose `users` are objects with `user` and `password`"
        ) from None
    return {name: _hash_of(name, password) for name, password in pairs}


def _hash_of(name: str, password: str) -> str:
    if not password.startswith(HASH_PREFIX):
        return HASHER.hash(password)
    try:
        extract_parameters(password)
    except InvalidHashError:
        raise SettingsError(f"PLAYHEAD_SECRETS: the password hash of {name!r} is not valid") from None
    return password
