"""Goals of users: set and read. What keeping one means is in `warehouse.metrics.goals`."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import psycopg

from warehouse.metrics.goals import Goal
from warehouse.settings import StorageSettings


def set_goals(
    connection: psycopg.Connection,
    settings: StorageSettings,
    user_id: str,
    goals: Iterable[tuple[str, str | None, int]],
) -> bool:
    """Set goals of (period, language, minutes) from the user's local day on; False where there is no such user.

    Without a language the time in all counts. 0 minutes take a goal away; one set on the same day before is replaced.
    Raises psycopg errors.
    """
    found = connection.execute("SELECT tenant, time_zone FROM users WHERE name = %s", (user_id,)).fetchone()
    if found is None:
        return False
    tenant, zone = found
    since = settings.now().astimezone(ZoneInfo(zone or settings.time_zone)).date()
    for period, language, minutes in goals:
        key = (tenant, user_id, period, language)
        if minutes == 0:
            connection.execute(
                "DELETE FROM goals WHERE tenant = %s AND user_id = %s AND period = %s "
                "AND language IS NOT DISTINCT FROM %s::text",
                key,
            )
        else:
            connection.execute(
                "INSERT INTO goals (tenant, user_id, period, language, since, minutes) VALUES (%s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (tenant, user_id, period, language, since) DO UPDATE SET minutes = excluded.minutes",
                (*key, since, minutes),
            )
    return True


def goals_of(connection: psycopg.Connection, tenant: str, user_id: str) -> dict[str | None, list[Goal]]:
    """Return a user's goals by language, those for all languages under None. Raises psycopg errors."""
    found: dict[str | None, list[Goal]] = {}
    for language, period, minutes, since in connection.execute(
        "SELECT language, period, minutes, since FROM goals WHERE tenant = %s AND user_id = %s "
        "ORDER BY language NULLS FIRST, period, since",
        (tenant, user_id),
    ):
        found.setdefault(language, []).append(Goal(period, minutes, since))
    return found
