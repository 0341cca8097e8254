"""The demo's player events: lands, over HTTP, what players of short titles tell while they play."""

from collections.abc import Iterable, Mapping

from rich.console import Console

from lab import listing
from lab.events import events
from lab.posting import Body


def land(console: Console, base_url: str, key: str, bodies: Iterable[Body], *, seed: int) -> None:
    """Post the events of those sessions among `bodies`, sends of `lab.population`, that have any."""
    summaries = [body for body in bodies if isinstance(body, Mapping)]
    with listing.client(base_url, key) as client:
        accepted = listing.post(client, "/analytics/events", "events", events(summaries, seed))
    console.print(f"Posted {accepted:,} player events of sessions of short titles")
