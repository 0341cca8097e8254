"""What `sync` does, in order: episodes, ids of shows, movies, links, progress. Each cleans up what was confirmed."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from playhead.syncing import local, summary
from playhead.syncing.asking import Asker, TitleId
from playhead.syncing.links import Link
from playhead.syncing.local import WatchedFile
from playhead.syncing.tracker import RefusedError, Tracker

ITEMS_AT_ONCE = 500
"""Items of one request: what is confirmed so far is cleaned up even when a later request fails."""
_T = TypeVar("_T")
_LINKED = {
    "youtube": ("syncyoutube", "video_ids", "YouTube videos"),
    "spotify": ("syncspotify", "episode_ids", "Spotify episodes"),
}


class Sync:
    """One run in a folder. Raises TrackerError once the server cannot be used; what was confirmed is cleaned up."""

    def __init__(self, console: Console, root: Path, tracker: Tracker, asker: Asker) -> None:
        self._console = console
        self._root = root
        self._tracker = tracker
        self._asker = asker
        self._left = False

    def run(self) -> bool:
        """Send everything; return whether nothing was left that the user wanted sent or removed."""
        episodes, movies = self._sendable(local.episodes(self._root)), self._sendable(local.movies(self._root))
        listed = local.read_list(self._root)
        self._say(f"Found {len(episodes)} episodes, {len(movies)} movies and {len(listed.links)} links")
        self._episodes(episodes)
        self._show_ids()
        self._movies(movies)
        for service in _LINKED:
            self._links([link for link in listed.links if link.service == service])
        for line in listed.strange:
            self._warn(f"{local.LIST}: no video or episode in {line[:100]!r}; the line stays")
        summary.show(self._console, self._tracker.progress())
        return not self._left

    def _sendable(self, files: Sequence[WatchedFile]) -> list[WatchedFile]:
        for file in (file for file in files if not file.sendable):
            self._left = True
            self._warn(f"{os.fsencode(file.path)!r} stays: its name is not UTF-8")
        return [file for file in files if file.sendable]

    def _episodes(self, files: Sequence[WatchedFile]) -> None:
        items = [{"folder_name": folder, "file_name": name} for folder, name in _names(files)]
        confirmed = self._send("episodes", "sync", "episodes", items, lambda item: item)
        sent = {(item["folder_name"], item["file_name"]) for item in confirmed}
        self._delete([file for file in files if (file.folder, file.name) in sent])
        done, problems = local.delete_completed(self._root, sorted({folder for folder, _ in sent}))
        for folder in done:
            self._say(f"Deleted completed show: {folder}")
        self._cannot_delete(problems)

    def _show_ids(self) -> None:
        """Ask for the ids that are missing; an episode counts without, so a show may wait."""
        unnamed = [str(show.get("folder_name")) for show in self._tracker.shows() if show.get("tvdb_id") is None]
        if waiting := [folder for folder in unnamed if not self._name_show(folder)]:
            self._say(f"Without a TVDB id, 20 minutes an episode until it has one: {', '.join(waiting)}")

    def _name_show(self, folder: str) -> bool:
        while (tvdb_id := self._asker.series(folder)) is not None:
            try:
                self._tracker.name_show(folder, tvdb_id)
            except RefusedError as refused:
                self._warn(f"{folder}: {refused}")
                if refused.status != HTTPStatus.NOT_FOUND:
                    return False
            else:
                self._say(f"Show {folder} is TVDB series {tvdb_id}")
                return True
        return False

    def _movies(self, files: Sequence[WatchedFile]) -> None:
        ids: dict[str, TitleId] = {}
        for _, name in _names(files):
            if known := self._asker.movie(name):
                ids[name] = known
            else:
                self._left = True
                self._warn(f"Movie {name} stays: its TVDB id is needed, run `playhead sync` on a terminal to give it")
        confirmed = self._send("movies", "syncmovies", "movies", list(ids), lambda name: _movie(name, ids[name]))
        self._delete([file for file in files if file.name in set(confirmed)])

    def _links(self, links: Sequence[Link]) -> None:
        if not links:
            return
        path, field, what = _LINKED[links[0].service]
        if confirmed := self._send(what, path, field, links, lambda link: link.id):
            local.clear_list(self._root, confirmed)
            self._say(f"Took {len(confirmed)} links out of {local.LIST}")

    def _send(self, what: str, path: str, field: str, items: Sequence[_T], body: Callable[[_T], object]) -> list[_T]:
        """Send items in parts; return the confirmed ones, for the caller to clean up."""
        confirmed: list[_T] = []
        added = 0
        for part in _parts(items):
            try:
                added += self._tracker.add(path, field, [body(item) for item in part])
            except RefusedError as refused:
                self._left = True
                self._warn(f"{len(part)} {what} were refused and stay: {refused}")
            else:
                confirmed += part
                if len(items) > ITEMS_AT_ONCE:
                    self._say(f"Sent {len(confirmed)} of {len(items)} {what}")
        if confirmed:
            self._say(f"Sent {len(confirmed)} {what}, {added} of them new")
        return confirmed

    def _delete(self, files: Sequence[WatchedFile]) -> None:
        if files:
            freed, problems = local.delete(files)
            self._say(f"Deleted {len(files) - len(problems)} watched files, {freed / 2**30:.2f} GiB")
            self._cannot_delete(problems)

    def _cannot_delete(self, problems: Sequence[OSError]) -> None:
        for problem in problems:
            self._left = True
            self._warn(f"{problem.filename} cannot be deleted: {problem.strerror}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _warn(self, text: str) -> None:
        self._console.print(f"[yellow]{escape(text)}[/yellow]", highlight=False, soft_wrap=True)


def _names(files: Sequence[WatchedFile]) -> list[tuple[str, str]]:
    return [names for names, _ in groupby(files, lambda file: (file.folder, file.name))]


def _movie(name: str, known: TitleId) -> Mapping[str, object]:
    return {"file_name": name, "tmdb_id" if known.tmdb else "tvdb_id": known.number}


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + ITEMS_AT_ONCE] for start in range(0, len(items), ITEMS_AT_ONCE))
