"""The demo's watch progress: sample people with known truth, whose past is imported and whose today is synced.

Who they are and what they watched is in `lab.watching`; their providers are a local server of sample data.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from lab.watching import exports, history, providers, today
from lab.watching.history import Watched
from lab.watching.people import PEOPLE, Person
from lab.watching.truth import Truth, known_truth
from playhead import watch_loading
from playhead.imports.entries import Json
from playhead.loading import RejectFile
from playhead.syncing.asking import TitleId
from playhead.syncing.steps import Sync
from playhead.syncing.tracker import Tracker
from warehouse.access import users
from warehouse.store import Store
from warehouse.watches.goal_setting import set_goals


class SampleError(RuntimeError):
    """The sample people cannot be made; the message says why."""


@dataclass(frozen=True)
class Sample:
    """What is true of each person, and how to ask the endpoint, by user name."""

    truth: dict[str, Truth]
    passwords: dict[str, str]
    base_url: str
    synced_on: dict[str, date]
    """Local day of each on which today was synced, and of which nothing is in the history."""

    def progress(self) -> dict[str, dict[str, Any]]:
        """Ask `GET /progress` of everybody."""
        answers = {}
        for name, password in self.passwords.items():
            with (tracker := _tracker(self.base_url, name, password)).client:
                answers[name] = tracker.progress()
        return answers


@contextmanager
def sample_providers(console: Console) -> Iterator[None]:
    """Serve sample data, and point this process and those it starts at it, whatever their settings name."""
    with providers.serving() as origin:
        given = providers.environment(origin)
        before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        console.print(f"Metadata is sample data, served at {origin}")
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def add_people(store: Store, tenant: str) -> dict[str, str]:
    """Make the users and set their goals; return their passwords by name."""
    passwords = {person.name: secrets.token_urlsafe() for person in PEOPLE}
    with store.database.connect() as connection:
        for person in PEOPLE:
            profile = {"time_zone": person.time_zone, "language": person.language}
            password = passwords[person.name]
            if not users.add_user(connection, name=person.name, password=password, tenant=tenant, **profile):
                raise SampleError(f"there is a user {person.name!r} outside of the tenant {tenant!r}")
            goals = [(period, None, minutes) for period, minutes in person.goals.items()]
            set_goals(connection, store.settings, person.name, goals)
    return passwords


def land(
    console: Console, store: Store, base_url: str, *, tenant: str, passwords: dict[str, str], seed: int, end: datetime
) -> Sample:
    """Import everybody's year up to the day of `end`, and sync their today with the tracker's client."""
    truth, synced_on = {}, {}
    watched = history.histories(seed, end)
    with TemporaryDirectory() as folder:
        for person in PEOPLE:
            past, items = watched[person.name], today.watched_today(person)
            home = Path(folder) / person.name
            home.mkdir()
            _import(console, store, home, tenant, person, past)
            today.lay_out(home, items)
            with (tracker := _tracker(base_url, person.name, passwords[person.name])).client:
                if not Sync(Console(quiet=True), home, tracker, _Knowing(person)).run():
                    raise SampleError(f"not everything of {person.name} was synced")
            zone = ZoneInfo(person.time_zone)
            truth[person.name] = known_truth(past, items, zone)
            synced_on[person.name] = end.astimezone(zone).date()
            console.print(f"Synced what {person.name} watched today: {len(items)} items")
    return Sample(truth, passwords, base_url, synced_on)


def _import(console: Console, store: Store, home: Path, tenant: str, person: Person, past: list[Watched]) -> None:
    views, strange = exports.takeout(past)
    files = [_write(home / "watch-history.json", views), _write(home / "trakt-history.json", exports.trakt(past))]
    with RejectFile(home / "rejects.ndjson") as refused:
        loaded = watch_loading.load(console, store, files, tenant=tenant, user=person.name, refused=refused)
    if refused.count != strange:
        raise SampleError(f"{refused.count} entries of {person.name}'s exports were left out, not {strange}")
    console.print(f"Imported {loaded.added:,} watches of {person.name}; {refused.count} other entries left out")


def _write(path: Path, entries: list[Json]) -> Path:
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return path


def _tracker(base_url: str, name: str, password: str) -> Tracker:
    return Tracker.connect(base_url, name, password, lambda _: None)


class _Knowing:
    """Knows the ids of what a person has watched today."""

    def __init__(self, person: Person) -> None:
        self._series = {series.title: series.tvdb_id for series in person.series}
        self._movies = {movie.title: TitleId(movie.tmdb_id, tmdb=True) for movie in person.movies}

    def series(self, folder: str) -> int | None:
        return self._series.get(folder)

    def movie(self, name: str) -> TitleId | None:
        return self._movies[name]
