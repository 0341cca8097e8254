"""What a user can mend becomes one line instead of a traceback; and the console that commands write to."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from sqlalchemy.exc import OperationalError

from warehouse.postgres.privileges import PrivilegeError
from warehouse.postgres.server import ServerError
from warehouse.settings import SettingsError

CONSOLE = Console()


class Commands(click.Group):
    """Turns errors that a user can mend into one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what a user can mend becomes a click error."""
        try:
            return super().invoke(ctx)
        except (SettingsError, ServerError, PrivilegeError) as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            raise click.ClickException(f"The database cannot be used: {str(error.orig).strip()}") from error


@contextmanager
def mendable() -> Iterator[None]:
    """Turn what stops a refresh into one line."""
    from ingest import recovery
    from pipelines import refreshing
    from warehouse.governance.backup import BackupError

    try:
        yield
    except (refreshing.RefreshError, recovery.DrainTimeoutError, BackupError) as error:
        raise click.ClickException(str(error)) from error
