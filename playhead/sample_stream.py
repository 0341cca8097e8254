"""The demo's live stream: lands it over HTTP, and shows which of its planted moments were found."""

from datetime import datetime, timedelta

from rich import box
from rich.console import Console
from rich.table import Table

from lab.streams import Stream, post
from warehouse.store import Store

FOUND_WITHIN = timedelta(seconds=120)
"""From the begin of what was planted: a burst of chat lasts 30 s, others reach their height more slowly."""


def land(console: Console, base_url: str, key: str, *, seed: int, end: datetime) -> Stream:
    """Post a two-hour stream that ends now."""
    stream = Stream(seed, end)
    accepted = post(base_url, key, stream)
    console.print(f"Posted a two-hour live stream: {accepted:,} chat messages, {len(stream.planted)} planted moments")
    return stream


def show(console: Console, store: Store, tenant: str, stream: Stream) -> bool:
    """Print each planted moment and when it was found; tell whether all were."""
    with store.database.connect() as connection:
        found = connection.execute(
            "SELECT moment_type, timestamp, description FROM moments WHERE tenant = %s AND stream_id = %s"
            " ORDER BY timestamp",
            (tenant, stream.stream_id),
        ).fetchall()
    table = Table(title="Published: moments of a live stream", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("planted", "at, UTC", "found after", "as"):
        table.add_column(heading, no_wrap=heading != "as")
    all_found = True
    for planted in stream.planted:
        near = [
            row for row in found if row[0] == planted.moment_type and planted.at <= row[1] <= planted.at + FOUND_WITHIN
        ]
        all_found &= bool(near)
        after, words = (f"{(near[0][1] - planted.at).total_seconds():.0f} s", near[0][2]) if near else ("not found", "")
        table.add_row(planted.moment_type, f"{planted.at:%H:%M:%S}", after, words)
    console.print(table)
    console.print(f"{len(found)} moments were found in all, {len(stream.planted)} were planted.")
    return all_found
