"""What the index says of a page, kept in the page itself: an index is made of the pages that are there.

Pages are written by `dashboards.publish`.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

NAME = "playhead-page"
"""Of the meta element that holds the entry."""

_HEAD_BYTES = 4096
"""The element is among the first of a page."""


@dataclass(frozen=True)
class Entry:
    """A published page; the operator's, over all tenants, has no tenant."""

    tenant: str | None
    title: str
    built_at: datetime
    summary: str

    def to_json(self) -> str:
        """Return the text that the page's meta element holds."""
        return json.dumps(vars(self) | {"built_at": self.built_at.isoformat()})


def entries(directory: Path) -> list[tuple[Path, Entry]]:
    """Return every page in `directory` and in the tenants' folders, the operator's first, then by tenant and title."""
    pages = [*directory.glob("*.html"), *directory.glob("*/*.html")]
    found = [(page, entry) for page in pages if (entry := _read(page)) is not None]
    return sorted(found, key=lambda pair: (pair[1].tenant or "", pair[1].title, pair[0]))


def _read(page: Path) -> Entry | None:
    with page.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode(errors="replace")
    reader = _Reader()
    reader.feed(head)
    if reader.content is None:
        return None
    fields = json.loads(reader.content)
    return Entry(**fields | {"built_at": datetime.fromisoformat(fields["built_at"])})


class _Reader(HTMLParser):
    content: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and given.get("name") == NAME:
            self.content = given.get("content")
