"""What `load --kind watches` does: exports of other services become import bodies, landed as a sync is.

How an export is read is in `playhead.imports`. A watch that is known already adds nothing, so that exports may be
loaded again and may overlap.
"""

import gzip
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.errors import InvalidSchema
from ingest.guards import DEFAULT_TENANT
from ingest.payloads import watch_import
from playhead.imports import takeout, trakt
from playhead.imports.entries import Json, NoWatch, Watch
from playhead.loading import RejectFile
from warehouse.access.users import list_users, users_of
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store
from warehouse.watches import watching

WATCHES_AT_ONCE = 1_000
_EXPORTS = (takeout, trakt)
_SHOWN_OF_A_FILE = 1_000


@dataclass
class Loaded:
    """Counts of one load: `read` watches, of which `added` were new."""

    read: int = 0
    added: int = 0
    seconds: float = 0.0


class UnreadableFileError(ValueError):
    """A file as a whole is no export; the message says why."""


def run(
    console: Console,
    settings: StorageSettings,
    files: Sequence[Path],
    *,
    tenant: str | None,
    user: str,
    rejects: Path | None,
) -> int:
    """Load every watch of the files; return 0 when all entries were watches, 1 when some were not.

    The tenant is that of the user; raises click.ClickException for another, and for a user that nobody has added.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = rejects or settings.home / "rejects" / f"watches-{stamp}.ndjson"
    with open_store(settings) as store, RejectFile(target) as refused:
        loaded = load(console, store, files, tenant=_tenant(store, user, tenant), user=user, refused=refused)
    console.print(
        f"Read {loaded.read:,} watches of {user}, {loaded.added:,} of them new, in {loaded.seconds:.2f} s",
        soft_wrap=True,
    )
    if refused.count:
        console.print(f"[yellow]Left out {refused.count:,} entries; reasons in {refused.path}[/yellow]", soft_wrap=True)
    return 1 if refused.count else 0


def _tenant(store: Store, user: str, wanted: str | None) -> str:
    with store.database.connect() as connection:
        tenants = {known.name: known.tenant for known in list_users(connection)}
    if user not in tenants and (secrets := os.environ.get("PLAYHEAD_SECRETS")):
        tenants |= dict.fromkeys(users_of(Path(secrets).expanduser()), DEFAULT_TENANT)
    if user not in tenants:
        raise click.ClickException(f"there is no user {user!r}; `playhead users add` makes one")
    if wanted not in {None, tenants[user]}:
        raise click.ClickException(f"{user!r} belongs to the tenant {tenants[user]!r}, not {wanted!r}")
    return tenants[user]


def load(
    console: Console, store: Store, files: Sequence[Path], *, tenant: str, user: str, refused: RejectFile
) -> Loaded:
    """Land the watches of the files; what is none goes to the reject file, numbered by its place in its file."""
    loaded, began = Loaded(), time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        for path in files:
            task = progress.add_task(path.name, total=None)
            try:
                entries = _entries(path)
            except UnreadableFileError as error:
                refused.add(path, 1, path.read_bytes()[:_SHOWN_OF_A_FILE], str(error))
                continue
            progress.update(task, total=len(entries))
            landing = _Landing(store, tenant, user, path, refused, loaded)
            for number, entry in enumerate(entries, 1):
                landing.take(number, entry)
                progress.advance(task)
            landing.land()
    loaded.seconds = time.perf_counter() - began
    return loaded


@dataclass
class _Landing:
    """The watches of one file on their way, in bodies of one source each."""

    store: Store
    tenant: str
    user: str
    path: Path
    refused: RejectFile
    loaded: Loaded

    def __post_init__(self) -> None:
        self._waiting: dict[str, list[tuple[int, Watch]]] = {export.SOURCE: [] for export in _EXPORTS}

    def take(self, number: int, entry: Json) -> None:
        """Read one entry; land what waits when it is enough."""
        export = next((one for one in _EXPORTS if one.is_entry(entry)), None)
        if export is None:
            self._refuse(number, entry, "neither an activity of Google Takeout nor an entry of Trakt")
            return
        waiting = self._waiting[export.SOURCE]
        for read in export.read_entry(entry):
            if isinstance(read, NoWatch):
                self._refuse(number, read.entry, read.reason)
            else:
                waiting.append((number, read))
        if len(waiting) >= WATCHES_AT_ONCE:
            self.land()

    def land(self) -> None:
        """Land everything that waits."""
        for source, waiting in self._waiting.items():
            for start in range(0, len(waiting), WATCHES_AT_ONCE):
                self._land(source, waiting[start : start + WATCHES_AT_ONCE])
            waiting.clear()

    def _land(self, source: str, watches: Sequence[tuple[int, Watch]]) -> None:
        """Land one body; where its contract refuses a watch, that one is left out."""
        body = json.dumps({"watches": [watch.body() for _, watch in watches]}, ensure_ascii=False).encode()
        try:
            watch_import.accept(body)
        except InvalidSchema as error:
            if len(watches) == 1:
                [(number, watch)] = watches
                self._refuse(number, watch.body(), str(error))
                return
            middle = len(watches) // 2
            self._land(source, watches[:middle])
            self._land(source, watches[middle:])
            return
        with self.store.database.connect() as connection:
            landed = watching.land(
                connection,
                tenant=self.tenant,
                user_id=self.user,
                route=source,
                body=body,
                now=self.store.settings.now(),
                default_zone=self.store.settings.time_zone,
            )
        self.loaded.read += len(watches)
        self.loaded.added += landed.added

    def _refuse(self, number: int, entry: Json, reason: str) -> None:
        self.refused.add(self.path, number, json.dumps(entry, ensure_ascii=False).encode(), reason)


def _entries(path: Path) -> list[Json]:
    """Return the entries of a JSON array, gzipped or not."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        document = json.loads(raw)
    except (ValueError, RecursionError, EOFError, gzip.BadGzipFile) as error:
        raise UnreadableFileError(f"not valid JSON: {error}") from None
    if not isinstance(document, list):
        raise UnreadableFileError("not a JSON array of entries")
    return document
