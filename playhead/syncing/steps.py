"""What `sync` does, in order: episodes, ids of shows, movies, links, progress. Each cleans up what was confirmed."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TypeAlias, TypeVar

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
_Name: TypeAlias = tuple[str, str]
"""Folder and file of an episode; of a movie the folder is empty."""
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
        self._confirmed: set[Link] = set()

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
        named = _by_name(files)
        self._send("episodes", "sync", "episodes", list(named), _episode, lambda names: self._delete(named, names))
        done, problems = local.delete_completed(self._root, sorted({folder for folder, _ in named}))
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
        named = _by_name(files)
        ids: dict[_Name, TitleId] = {}
        for name in named:
            if known := self._asker.movie(name[1]):
                ids[name] = known
            else:
                self._left = True
                self._warn(
                    f"Movie {name[1]} stays: its TVDB id is needed, run `playhead sync` on a terminal to give it"
                )
        self._send(
            *("movies", "syncmovies", "movies", list(ids)),
            body=lambda name: _movie(name, ids[name]),
            clean=lambda names: self._delete(named, names),
        )

    def _links(self, links: Sequence[Link]) -> None:
        if links:
            path, field, what = _LINKED[links[0].service]
            self._send(what, path, field, links, body=lambda link: link.id, clean=self._clear_list)

    def _clear_list(self, links: Iterable[Link]) -> None:
        # A line may name something of each service, and goes when all of it is confirmed.
        self._confirmed.update(links)
        local.clear_list(self._root, self._confirmed)

    def _send(
        self,
        what: str,
        path: str,
        field: str,
        items: Sequence[_T],
        body: Callable[[_T], object],
        clean: Callable[[Sequence[_T]], None],
    ) -> None:
        """Send items in parts, and clean each up as soon as it is confirmed: a later one may fail."""
        added = confirmed = 0
        for part in _parts(items):
            try:
                added += self._tracker.add(path, field, [body(item) for item in part])
            except RefusedError as refused:
                self._left = True
                self._warn(f"{len(part)} {what} were refused and stay: {refused}")
            else:
                clean(part)
                confirmed += len(part)
                if len(items) > ITEMS_AT_ONCE:
                    self._say(f"Sent {confirmed:,} of {len(items):,} {what}")
        if confirmed:
            self._say(f"Sent {confirmed:,} {what}, {added:,} of them new; cleared away here")

    def _delete(self, named: Mapping[_Name, Sequence[WatchedFile]], names: Iterable[_Name]) -> None:
        self._cannot_delete(local.delete(file for name in names for file in named[name]))

    def _cannot_delete(self, problems: Sequence[OSError]) -> None:
        for problem in problems:
            self._left = True
            self._warn(f"{problem.filename} cannot be deleted: {problem.strerror}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _warn(self, text: str) -> None:
        self._console.print(f"[yellow]{escape(text)}[/yellow]", highlight=False, soft_wrap=True)


def _by_name(files: Sequence[WatchedFile]) -> dict[_Name, list[WatchedFile]]:
    named: dict[_Name, list[WatchedFile]] = {}
    for file in files:
        named.setdefault((file.folder, file.name), []).append(file)
    return named


def _episode(name: _Name) -> Mapping[str, object]:
    return {"folder_name": name[0], "file_name": name[1]}


def _movie(name: _Name, known: TitleId) -> Mapping[str, object]:
    return {"file_name": name[1], "tmdb_id" if known.tmdb else "tvdb_id": known.number}


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + ITEMS_AT_ONCE] for start in range(0, len(items), ITEMS_AT_ONCE))
