"""Which series or movie a local name is: asked of the person at the terminal, who is shown what a search found."""

import asyncio
import re
import string
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.markup import escape

from warehouse.providers.catalog import Catalog
from warehouse.providers.results import Failed, Hit, Kind
from warehouse.providers.settings import ProviderSettings

SEARCH_S = 10.0
_BRACKETED = re.compile(r"\[[^\]]*\]|\([^)]*\)|\{[^}]*\}")

Search = Callable[[Kind, str], list[Hit] | Failed]


@dataclass(frozen=True)
class TitleId:
    """An id at TVDB, or at TMDB."""

    number: int
    tmdb: bool = False


class Asker(Protocol):
    """Knows ids, or somebody who does."""

    def series(self, folder: str) -> int | None:
        """Return the TVDB id of a show's folder; None: it shall wait."""
        ...

    def movie(self, name: str) -> TitleId | None:
        """Return the id of a movie; None: it shall wait."""
        ...


class Nobody:
    """There is no terminal: everything waits."""

    def series(self, folder: str) -> int | None:
        """Know nothing."""
        return None

    def movie(self, name: str) -> TitleId | None:
        """Know nothing."""
        return None


@dataclass
class Person:
    """Somebody at a terminal. An empty line lets a title wait; the end of input, all that follow."""

    console: Console
    search: Search
    series_kind: Kind | None
    movie_kind: Kind | None
    gone: bool = False

    def series(self, folder: str) -> int | None:
        """Ask for the TVDB id of a show's folder."""
        found = self._ask(f"show {folder}", folder, self.series_kind)
        return found.number if found else None

    def movie(self, name: str) -> TitleId | None:
        """Ask for the id of a movie, at TVDB or, as `tmdb:603`, at TMDB."""
        return self._ask(f"movie {name}", name, self.movie_kind, or_tmdb=True)

    def _ask(self, what: str, name: str, kind: Kind | None, *, or_tmdb: bool = False) -> TitleId | None:
        hits = self._hits(kind, _words(name)) if not self.gone else {}
        hint = "letter, id, other words to search" if kind else "id, or tmdb:id" if or_tmdb else "id"
        while not self.gone:
            try:
                text = self.console.input(f"Enter the TVDB id for {escape(what)} ({hint}; empty: later):\n").strip()
            except EOFError:
                self.gone = True
                break
            number = text.removeprefix("tmdb:") if or_tmdb else text
            if not text:
                break
            if text.lower() in hits:
                return hits[text.lower()]
            if number.isascii() and number.isdigit() and 0 < int(number) < 2**31:
                return TitleId(int(number), tmdb=number != text)
            hits = self._hits(kind, text)
            if kind is None:
                self.console.print("An id is a whole number, as in the address of the title's page at thetvdb.com.")
        return None

    def _hits(self, kind: Kind | None, words: str) -> dict[str, TitleId]:
        """Search and show what was found; return it by the letters shown."""
        if kind is None or not words:
            return {}
        found = self.search(kind, words)
        if isinstance(found, Failed):
            self.console.print(f"[yellow]No search: {escape(found.reason)}[/yellow]")
            return {}
        lettered = dict(zip(string.ascii_lowercase, found, strict=False))
        for letter, hit in lettered.items():
            self.console.print(
                f"  {letter}  {escape(hit.name)} ({hit.year or 'year unknown'}), {hit.id}", highlight=False
            )
        if not found:
            self.console.print(f"Nothing is called {escape(words)}.", highlight=False)
        return {letter: TitleId(hit.id, tmdb=hit.kind is Kind.TMDB_MOVIE) for letter, hit in lettered.items()}


@contextmanager
def person(console: Console, settings: ProviderSettings) -> Iterator[Person]:
    """Yield somebody at the terminal, with a search where a key for one is set."""
    movie = Kind.TVDB_MOVIE if settings.tvdb_api_key else Kind.TMDB_MOVIE
    searchable = settings.tvdb_api_key or settings.tmdb_api_read_access_token
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        catalog = runner.run(stack.enter_async_context(Catalog.open(settings)))
        try:
            yield Person(
                console,
                search=lambda kind, name: runner.run(catalog.search(kind, name, SEARCH_S)),
                series_kind=Kind.TVDB_SERIES if settings.tvdb_api_key else None,
                movie_kind=movie if searchable else None,
            )
        finally:
            runner.run(stack.aclose())


def _words(name: str) -> str:
    """Return a folder's or file's name without what is in brackets, and with spaces for dots and underscores."""
    return " ".join(re.sub(r"[._]", " ", _BRACKETED.sub(" ", name)).split())
