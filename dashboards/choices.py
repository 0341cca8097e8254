"""A page on which a reader chooses one of several things, such as streams: its parts as `choice.html.j2` prints them.

What a particular page holds is decided beside it (`progress_page`, `streams_page`, `engagement_page`).
"""

from dataclasses import dataclass

from dashboards.cards import Definition, Section, Table, Tile


@dataclass(frozen=True)
class Listing:
    """A section that is one table."""

    anchor: str
    title: str
    short: str
    lead: str
    source: str
    table: Table


@dataclass(frozen=True)
class Choice:
    """What the page shows of one of them."""

    anchor: str
    name: str
    lead: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    listings: tuple[Listing, ...] = ()


@dataclass(frozen=True)
class ChoicePage:
    """Everything that `choice.html.j2` prints; without choices it says `empty`."""

    heading: str
    title: str
    size: str
    noun: str
    """What is chosen, as the label of the list."""
    empty: str
    choices: tuple[Choice, ...]
    facts: tuple[tuple[str, str], ...]
    method: tuple[str, ...]
    definitions: tuple[Definition, ...]
    overview: tuple[Section, ...] = ()
    """What is said of all of them together."""
