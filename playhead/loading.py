"""What `load` does: files through the same landing path as the endpoint, with a reject file and both rates."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.errors import InvalidSchema
from ingest.landing import Landing
from playhead.load_kinds import KINDS, Item
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

LINES_AT_ONCE = 2_000
"""Lines of one journal append."""

WORDS = {
    "sessions": "sessions",
    "events": "events",
    "viewers": "streams and samples",
    "epas": "beacons",
    "cmcd": "requests",
}

MAX_LINE_BYTES = 1 << 20


@dataclass
class Loaded:
    """Counts of one load, and seconds until all was acknowledged and until Postgres had followed."""

    accepted: int = 0
    acknowledged_s: float = 0.0
    followed_s: float = 0.0


class RejectFile:
    """Refused lines with their reasons, as NDJSON; the file exists only when something was refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, source: Path, line: int, body: bytes, reason: str) -> None:
        """Write one refused line."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8")
        text = body.decode("utf-8", "backslashreplace")
        entry = {"file": str(source), "line": line, "code": "INVALID_SCHEMA", "message": reason, "body": text}
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self.count += 1


def run(
    console: Console,
    settings: StorageSettings,
    files: Sequence[Path],
    *,
    kind: str,
    tenant: str,
    rejects: Path | None,
) -> int:
    """Load every line of the files; return 0 when all were taken, 1 when some were rejected."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = rejects or settings.home / "rejects" / f"{kind}-{stamp}.ndjson"
    with open_store(settings) as store, RejectFile(target) as refused:
        loaded = asyncio.run(_load(console, store, files, kind, tenant, refused))
    _summarise(console, loaded, kind, refused)
    return 1 if refused.count else 0


async def _load(
    console: Console, store: Store, files: Sequence[Path], kind: str, tenant: str, refused: RejectFile
) -> Loaded:
    loaded = Loaded()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with Landing.open(store.settings, store.database, store.lake) as landing:
        with Progress(*columns, console=console) as progress:
            started = time.perf_counter()
            for path in files:
                task = progress.add_task(path.name, total=None)
                for items in _batches(KINDS[kind](path, progress.console.print)):
                    records = _accept(items, path, tenant, store.settings.now(), refused)
                    if records:
                        await landing.land(records, wait=True)
                    loaded.accepted += len(records)
                    progress.advance(task, len(items))
                progress.update(task, total=progress.tasks[task].completed)
            loaded.acknowledged_s = time.perf_counter() - started
            task = progress.add_task("Postgres follows", total=None)
            await landing.followed()
            loaded.followed_s = time.perf_counter() - started
            progress.update(task, total=loaded.accepted, completed=loaded.accepted)
            await landing.seal()
    return loaded


def _accept(items: Sequence[Item], path: Path, tenant: str, now: datetime, refused: RejectFile) -> list[bytes]:
    records = []
    for item in items:
        try:
            records.append(_record(item, tenant, now))
        except InvalidSchema as error:
            refused.add(path, item.line, item.body, str(error))
    return records


def _record(item: Item, tenant: str, now: datetime) -> bytes:
    if len(item.body) > MAX_LINE_BYTES:
        raise InvalidSchema(f"The line is longer than {MAX_LINE_BYTES:,} bytes")
    return item.record(tenant, now)


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, LINES_AT_ONCE)):
        yield batch


def _summarise(console: Console, loaded: Loaded, kind: str, refused: RejectFile) -> None:
    console.print(
        f"Accepted {loaded.accepted:,} {WORDS[kind]}: acknowledged in {loaded.acknowledged_s:.2f} s "
        f"({_rate(loaded.accepted, loaded.acknowledged_s)}), "
        f"in Postgres after {loaded.followed_s:.2f} s ({_rate(loaded.accepted, loaded.followed_s)})",
        soft_wrap=True,
    )
    if refused.count:
        console.print(f"[yellow]Rejected {refused.count:,}; reasons in {refused.path}[/yellow]")


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f}/s" if seconds > 0 else "at once"
