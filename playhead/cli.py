"""The `playhead` command: parses arguments and calls; what a command does stands beside it."""

import click


@click.group()
def main() -> None:
    """Playhead: quality of experience and watch progress, from raw payload to report."""
