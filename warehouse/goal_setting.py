"""Goals of users: set and read. What keeping one means is in `warehouse.metrics.goals`."""

from datetime import date

import psycopg

from warehouse.metrics.goals import Goal, Period


def set_goal(
    connection: psycopg.Connection,
    *,
    tenant: str,
    user_id: str,
    period: Period,
    minutes: int,
    since: date,
    language: str | None = None,
) -> None:
    """Set a goal from a local day on, for the time in one language or, without, in all; 0 minutes takes it away.

    A goal set on the same day before is replaced. Raises psycopg errors.
    """
    whose = {"tenant": tenant, "user_id": user_id, "period": period, "language": language}
    if minutes == 0:
        connection.execute(
            "DELETE FROM goals WHERE tenant = %(tenant)s AND user_id = %(user_id)s AND period = %(period)s "
            "AND language IS NOT DISTINCT FROM %(language)s::text",
            whose,
        )
        return
    connection.execute(
        "INSERT INTO goals (tenant, user_id, period, language, since, minutes) VALUES (%(tenant)s, %(user_id)s, "
        "%(period)s, %(language)s, %(since)s, %(minutes)s) "
        "ON CONFLICT (tenant, user_id, period, language, since) DO UPDATE SET minutes = excluded.minutes",
        whose | {"since": since, "minutes": minutes},
    )


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
