"""Who watches: the profile of a user as the database has it, and the locks under which watches change.

A user need not be in the table `users`: those of the secrets file have no profile. Bodies of one user land one after
the other; answers of providers, which shape the sums of anybody, come alone.
"""

from dataclasses import dataclass

import polars as pl
import psycopg

_SHARED = 0x504C5761746368
_USER_CLASS = 0x57617463


@dataclass(frozen=True)
class Profile:
    """What shapes a user's watches; None where the user did not say."""

    time_zone: str | None
    """IANA name."""
    language: str | None
    """BCP 47 tag."""


def profile(connection: psycopg.Connection, tenant: str, user_id: str) -> Profile:
    """Return the profile as it is now. Raises psycopg errors."""
    row = connection.execute(
        "SELECT time_zone, language FROM users WHERE name = %s AND tenant = %s", (user_id, tenant)
    ).fetchone()
    return Profile(*row) if row is not None else Profile(None, None)


def zones(connection: psycopg.Connection, default: str) -> pl.DataFrame:
    """Return [tenant, user_id, time_zone] of users with a time zone, by name; the row of nulls is everybody else's.

    Raises psycopg errors.
    """
    rows = connection.execute(
        "SELECT tenant, name, time_zone FROM users WHERE time_zone IS NOT NULL ORDER BY tenant, name"
    ).fetchall()
    schema = {"tenant": pl.String(), "user_id": pl.String(), "time_zone": pl.String()}
    return pl.DataFrame([*rows, (None, None, default)], schema=schema, orient="row")


def lock_user(connection: psycopg.Connection, tenant: str, user_id: str) -> None:
    """Keep others from changing this user's watches until the transaction ends."""
    connection.execute(
        "SELECT pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s, hashtext(%s || chr(31) || %s))",
        (_SHARED, _USER_CLASS, tenant, user_id),
    )


def lock_all(connection: psycopg.Connection) -> None:
    """Keep others from changing anybody's watches until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SHARED,))
