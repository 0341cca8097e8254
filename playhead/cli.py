"""The `playhead` command: parses arguments and calls; what a command does stands beside it.

Keys, users and governance have their commands in `access`, `users` and `governance_commands`.
"""

import gc
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import click

from ingest import logs
from playhead import access, governance_commands, users
from playhead.mendable import CONSOLE, Commands, mendable
from warehouse.settings import StorageSettings


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="playhead")
def main() -> None:
    """Playhead: quality of experience and watch progress, from raw payload to report."""
    # What is open must be closed, the embedded server above all: SIGTERM unwinds like any other exit.
    logs.configure("WARNING")
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


main.add_command(access.keys)
main.add_command(users.users)
for _command in governance_commands.COMMANDS:
    main.add_command(_command)


@contextmanager
def _imports() -> Iterator[None]:
    """Import without collecting garbage: modules stay, and no later collection need look through them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@main.command()
@click.option("--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="NDJSON to post.")
@click.option("--seed", default=7, show_default=True, help="Seed of the viewers that play.")
def demo(source: Path | None, seed: int) -> None:
    """Post realistic traffic, refresh, execute the notebooks and publish the reports."""
    from playhead.demo import run

    sys.exit(run(CONSOLE, StorageSettings.from_environ(), source=source, seed=seed))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=None, help="Default: PORT, or 8080.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
def serve(host: str, port: int | None, workers: int) -> None:
    """Run the endpoint."""
    from ingest import server

    server.run(host=host, port=port, workers=workers)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, help="Endpoint.")
@click.option("--dagster-port", default=3000, show_default=True)
@click.option("--jupyter-port", default=8888, show_default=True)
def up(host: str, port: int, dagster_port: int, jupyter_port: int) -> None:
    """Run the endpoint, Dagster and JupyterLab."""
    from playhead import services

    sys.exit(services.up(CONSOLE, StorageSettings.from_environ(), host, port, dagster_port, jupyter_port))


@main.command()
@click.option("--engine", type=click.Choice(["polars", "spark"]), default="polars", show_default=True)
@click.option("--remote", metavar="sc://HOST:PORT", help="Spark Connect server of --engine spark.")
def refresh(engine: str, remote: str | None) -> None:
    """Rebuild everything that is stale, now."""
    with _imports():
        from playhead import services
        from warehouse import spark
        from warehouse.store import open_store

    if (engine == "spark") != bool(remote):
        raise click.UsageError("--engine spark and --remote sc://HOST:PORT belong together")
    with mendable(), open_store() as store, spark.connected(remote) if remote else nullcontext(store.engine) as chosen:
        services.refresh(CONSOLE, replace(store, engine=chosen))


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(["sessions", "watches", "events", "viewers", "epas", "cmcd"]),
    default="sessions",
    show_default=True,
)
@click.option("--tenant", help="Default: 'default'; of watches, the user's.")
@click.option("--user", help="Of watches: who watched.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where refused lines go.")
def load(files: tuple[Path, ...], kind: str, tenant: str | None, user: str | None, rejects: Path | None) -> None:
    """Load FILES through the landing path.

    Sessions: NDJSON, gzipped NDJSON, Parquet. Watches: YouTube's watch-history.json of Google Takeout, and Trakt's
    history, watched movies and watched shows, all JSON, gzipped or not. Events: NDJSON as POST /analytics/events has
    them. Viewers: <date>_<stream id>_<start in epoch seconds>.json. EPAS: NDJSON or JSON arrays of beacons. CMCD: logs
    with URLs, headers or JSON.
    """
    settings = StorageSettings.from_environ()
    if (kind == "watches") != (user is not None):
        raise click.UsageError("--user belongs to --kind watches, which needs it")
    if user is None:
        from playhead.loading import run

        sys.exit(run(CONSOLE, settings, files, kind=kind, tenant=tenant or "default", rejects=rejects))
    from playhead import watch_loading

    sys.exit(watch_loading.run(CONSOLE, settings, files, tenant=tenant, user=user, rejects=rejects))


@main.command()
@click.option(
    "--folder", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Default: here."
)
def sync(folder: Path) -> None:
    """Send what was watched in shows/*/watched, movies/watched and watched.txt to the endpoint, then clear it away.

    IMMERSION_TRACKER_USER, IMMERSION_TRACKER_PASSWORD and IMMERSION_TRACKER_API_URL say to whom.
    """
    from playhead.syncing import command

    sys.exit(command.run(CONSOLE, folder))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(as_json: bool) -> None:
    """Print addresses, paths and versions."""
    from playhead import services

    facts = services.information(StorageSettings.from_environ())
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name:<14}{text}")
