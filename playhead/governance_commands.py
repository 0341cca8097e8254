"""The commands of governance: they parse arguments and call `playhead.governance`."""

import sys
from pathlib import Path

import click

from playhead.mendable import CONSOLE, mendable
from warehouse.settings import StorageSettings


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def retain(dry_run: bool) -> None:
    """Delete what has expired by the retention policies."""
    from playhead import governance

    with mendable():
        sys.exit(governance.retain(CONSOLE, StorageSettings.from_environ(), dry_run=dry_run))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Copy what cannot be derived, and the lake, into FOLDER."""
    from playhead import governance

    with mendable():
        sys.exit(governance.back_up(CONSOLE, StorageSettings.from_environ(), folder))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Bring the backup in FOLDER into an empty home, and rebuild what is derived."""
    from playhead import governance

    with mendable():
        sys.exit(governance.restore(CONSOLE, StorageSettings.from_environ(), folder))


@click.command()
@click.option("--verify", is_flag=True, help="Only compare; exit 1 where anything differs.")
def rebuild(verify: bool) -> None:
    """Make everything that is derived from raw anew."""
    from playhead import governance

    with mendable():
        sys.exit(governance.rebuild(CONSOLE, StorageSettings.from_environ(), verify=verify))


@click.command()
@click.option("--session", help="Id of a session.")
@click.option("--user", help="Id of a viewer, or name of a user of the tracker.")
@click.option("--tenant", default="default", show_default=True)
def forget(session: str | None, user: str | None, tenant: str) -> None:
    """Delete a session, or all that a user did, everywhere, and print a receipt."""
    if (session is None) == (user is None):
        raise click.UsageError("Name either --session or --user.")
    from playhead import governance
    from warehouse.landing.tombstones import Subject

    subject = Subject("session", tenant, session) if session is not None else Subject("user", tenant, user or "")
    with mendable():
        sys.exit(governance.forget(CONSOLE, StorageSettings.from_environ(), subject))


COMMANDS = (retain, backup, restore, rebuild, forget)
