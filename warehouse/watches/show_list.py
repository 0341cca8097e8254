"""A user's local shows as the database has them. They are written by `watching`."""

from typing import TypeAlias

import psycopg

Show: TypeAlias = tuple[str, int | None, str | None, str | None]
"""Folder, TVDB id, name, artwork; null while unknown."""


def every(connection: psycopg.Connection, tenant: str, user_id: str) -> list[Show]:
    """Return every show by folder. Raises psycopg errors."""
    return connection.execute(
        "SELECT folder, tvdb_id, name, artwork_url FROM shows "
        "LEFT JOIN metadata ON kind = 'tvdb/series' AND id = tvdb_id::text "
        'WHERE tenant = %s AND user_id = %s ORDER BY folder COLLATE "C"',
        (tenant, user_id),
    ).fetchall()


def has(connection: psycopg.Connection, tenant: str, user_id: str, folder: str) -> bool:
    """Tell whether the user has a show of this folder. Raises psycopg errors."""
    found = connection.execute(
        "SELECT FROM shows WHERE tenant = %s AND user_id = %s AND folder = %s", (tenant, user_id, folder)
    )
    return found.rowcount > 0


def is_known(connection: psycopg.Connection, tvdb_id: int) -> bool:
    """Tell whether TVDB has described the series before. Raises psycopg errors."""
    found = connection.execute(
        "SELECT FROM metadata WHERE kind = 'tvdb/series' AND id = %s AND status = 'found'", (str(tvdb_id),)
    )
    return found.rowcount > 0
