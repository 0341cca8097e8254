"""Tickets: what opens one WebSocket within 30 s, for browsers, which cannot set headers there."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

import psycopg

TICKET_S = 30


def issue(connection: psycopg.Connection, tenant: str, now: datetime) -> str:
    """Return a new ticket of the tenant; those that have expired are deleted. Raises psycopg errors."""
    ticket = secrets.token_urlsafe(24)
    connection.execute("DELETE FROM tickets WHERE expires_at <= %s", (now,))
    connection.execute(
        "INSERT INTO tickets (sha256, tenant, expires_at) VALUES (%s, %s, %s)",
        (_digest(ticket), tenant, now + timedelta(seconds=TICKET_S)),
    )
    return ticket


def redeem(connection: psycopg.Connection, ticket: str, now: datetime) -> str | None:
    """Return whose ticket it is, once; None where it is unknown, used or expired. Raises psycopg errors."""
    row = connection.execute(
        "DELETE FROM tickets WHERE sha256 = %s RETURNING tenant, expires_at > %s", (_digest(ticket), now)
    ).fetchone()
    return row[0] if row is not None and row[1] else None


def _digest(ticket: str) -> str:
    return sha256(ticket.encode()).hexdigest()
