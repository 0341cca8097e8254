"""The command `keys`: who may land and read, and how much. What is kept of a key is in `warehouse.access.keys`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import click
import psycopg
from rich.console import Console
from rich.table import Table

from playhead.parameters import DURATION, EXPIRY, NAME, QUOTA
from warehouse.access.keys import UNLIMITED

SCOPES = ("land", "read")
WIDTH = 160


@contextmanager
def connected() -> Iterator[psycopg.Connection]:
    """Open the storage and lend a connection."""
    from warehouse.store import open_store

    with open_store() as store, store.database.connect() as connection:
        yield connection


def show(columns: Sequence[str], rows: Sequence[Mapping[str, object]], as_json: bool) -> None:
    """Print rows as a table, or as a JSON array."""
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(*columns, box=None)
    for row in rows:
        values = (row[column] for column in columns)
        table.add_row(*(", ".join(value) if isinstance(value, list) else str(value or "–") for value in values))
    # An id that is cut off is of no use: lines may be longer than the terminal.
    Console(width=max(Console().width, WIDTH)).print(table)


def found_or_fail(found: object, kind: str, name: str) -> None:
    """Fail where there was nothing of this name."""
    if not found:
        raise click.ClickException(f"there is no {kind} {name!r}")


def iso(moment: datetime | None) -> str | None:
    """Return a time in UTC as text, to the second."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


@click.group()
def keys() -> None:
    """API keys: create, list, rotate, revoke; and what a tenant's keys may ask together."""


@keys.command("create")
@click.option("--tenant", type=NAME, required=True, help="Owner of what the key lands and reads.")
@click.option("--name", type=NAME, required=True, help="What you call it.")
@click.option("--scope", "scopes", multiple=True, default=("land",), show_default=True, type=click.Choice(SCOPES))
@click.option("--quota", type=QUOTA, help="Requests a window, or 'unlimited'. Default: RATE_LIMIT_REQUESTS.")
@click.option("--expires", type=EXPIRY, help="When it ends: 90d, 12h, or an ISO time. Default: never.")
def create_key(tenant: str, name: str, scopes: Sequence[str], quota: int | None, expires: datetime | None) -> None:
    """Make a key and print it, once."""
    from warehouse.access.keys import create_key

    with connected() as connection:
        key = create_key(connection, tenant=tenant, name=name, scopes=scopes, quota=quota, expires_at=expires)
    click.echo(key)
    click.echo("Keep it now: it is not shown again. It is valid within 5 seconds.", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON array.")
def list_keys(as_json: bool) -> None:
    """Show every key, without its secret."""
    from warehouse.access.keys import list_keys, load_quotas

    with connected() as connection:
        found, quotas = list_keys(connection), load_quotas(connection)
    now = datetime.now(UTC)
    rows = [
        {
            "id": key.key_id,
            "tenant": key.tenant,
            "name": key.name,
            "scopes": key.scopes,
            "quota": "unlimited" if key.quota == UNLIMITED else key.quota,
            "tenant_quota": quotas.get(key.tenant),
            "state": "revoked" if key.revoked_at else "expired" if (key.expires_at or now) < now else "valid",
            "created_at": iso(key.created_at),
            "expires_at": iso(key.expires_at),
            "revoked_at": iso(key.revoked_at),
            "last_used_at": iso(key.last_used_at),
        }
        for key in found
    ]
    columns = ("id", "tenant", "name", "scopes", "quota", "tenant_quota", "state", "created_at", "expires_at")
    show((*columns, "last_used_at"), rows, as_json)


@keys.command("rotate")
@click.argument("key_id", type=NAME)
@click.option("--grace", type=DURATION, default="24h", show_default=True, help="How long the old key stays valid.")
def rotate_key(key_id: str, grace: timedelta) -> None:
    """Make a successor alike and print it, once; both are valid until the grace is over."""
    from warehouse.access.keys import rotate_key

    with connected() as connection:
        key = rotate_key(connection, key_id, grace)
    found_or_fail(key, "valid key", key_id)
    click.echo(key)
    click.echo(f"Keep it now: it is not shown again. The old key ends in {grace}.", err=True)


@keys.command("revoke")
@click.argument("key_id", type=NAME)
def revoke_key(key_id: str) -> None:
    """End a key, within 5 seconds in every worker."""
    from warehouse.access.keys import revoke_key

    with connected() as connection:
        found_or_fail(revoke_key(connection, key_id), "key to revoke", key_id)


@keys.command("quota")
@click.argument("tenant", type=NAME)
@click.argument("requests", type=QUOTA)
def set_quota(tenant: str, requests: int) -> None:
    """Bound the REQUESTS a window of all keys of a TENANT together; 'unlimited' leaves only each key's own."""
    from warehouse.access.keys import set_quota

    with connected() as connection:
        set_quota(connection, tenant, requests)
