"""What every export is read into: a watch, or an entry that is none, with the reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""What a JSON document holds."""


@dataclass(frozen=True)
class Watch:
    """One watch, in the fields of an import body."""

    kind: Literal["episode", "movie", "youtube"]
    item: str
    watched_at: str
    """ISO 8601, as the export has it."""
    folder: str | None = None
    """Of an episode: its series."""
    name: str | None = None
    """Name of the video or episode itself."""
    title: str | None = None
    """Name of the series, movie or channel."""
    title_id: str | None = None
    """Id of the channel."""
    tvdb_id: int | None = None
    """Series of an episode."""
    tmdb_id: int | None = None
    """Movie."""

    def body(self) -> dict[str, Any]:
        """Return the JSON object of an import body, without what is unknown."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class NoWatch:
    """An entry, or a part of one, that is not loaded, and why."""

    entry: Json
    reason: str


Read: TypeAlias = Watch | NoWatch


class StrangeEntryError(ValueError):
    """An entry lacks something that its kind must have; the message names it."""


def object_at(entry: Json, field: str) -> Mapping[str, Json]:
    """Return an object of an entry."""
    value = entry.get(field)
    if not isinstance(value, dict):
        raise StrangeEntryError(f"{field} is missing")
    return value


def text_at(entry: Mapping[str, Json], field: str) -> str:
    """Return a text that is not empty."""
    value = entry.get(field)
    if not isinstance(value, str) or not value.strip():
        raise StrangeEntryError(f"{field} is missing")
    return value


def instant_at(entry: Mapping[str, Json], field: str) -> str:
    """Return a time with an offset, as it is written."""
    text = text_at(entry, field)
    try:
        offset = datetime.fromisoformat(text).tzinfo
    except ValueError:
        raise StrangeEntryError(f"{field} is no ISO 8601 time: {text[:50]!r}") from None
    if offset is None:
        raise StrangeEntryError(f"{field} has no UTC offset: {text}")
    return text


def number_at(entry: Mapping[str, Json], field: str) -> int:
    """Return a whole number from 0."""
    value = entry.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise StrangeEntryError(f"{field} is missing")
    return value
