"""YouTube's `watch-history.json` of Google Takeout: one object an activity, most of them views of a video.

A view has `titleUrl` with the video's id, also of a video that was removed since then if its link is left. Without a
link nothing tells which video it was. Ads are marked in `details`; posts, searches and games are no views.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from playhead.imports.entries import Json, NoWatch, Read, StrangeEntryError, Watch, instant_at
from playhead.syncing.links import read_link

SOURCE = "takeout"
_AD = "From Google Ads"
_CHANNEL = re.compile(r"/channel/(UC[A-Za-z0-9_-]{22})$")


def is_entry(entry: Json) -> bool:
    """Tell whether an object looks like an activity of Takeout."""
    return isinstance(entry, dict) and "header" in entry and "title" in entry


def read_entry(entry: Json) -> Iterator[Read]:
    """Yield the one watch of an activity, or why it is none."""
    try:
        yield _view(entry)
    except StrangeEntryError as strange:
        yield NoWatch(entry, str(strange))


def _view(entry: Json) -> Watch:
    if any(_text(detail, "name") == _AD for detail in _list(entry, "details")):
        raise StrangeEntryError("an ad")
    url = entry.get("titleUrl")
    if not isinstance(url, str):
        raise StrangeEntryError("titleUrl is missing: the video was removed or is private, nothing tells which it was")
    link = read_link(url)
    if link is None or link.service != "youtube":
        raise StrangeEntryError(f"titleUrl is no video: {urlsplit(url).path[:50] or url[:50]!r}")
    watched_at = instant_at(entry, "time")
    # Of a video that was removed since, the title is its address.
    title = str(entry["title"]).removeprefix("Watched ")
    name = None if url in title or not title.strip() else title
    channel = next(iter(_list(entry, "subtitles")), None)
    return Watch("youtube", link.id, watched_at, name=name, title=_text(channel, "name"), title_id=_channel_id(channel))


def _list(entry: Json, field: str) -> list[Json]:
    value = entry.get(field)
    return value if isinstance(value, list) else []


def _text(part: Json, field: str) -> str | None:
    text = part.get(field) if isinstance(part, dict) else None
    return text if isinstance(text, str) and text.strip() else None


def _channel_id(part: Json) -> str | None:
    match = _CHANNEL.search(_text(part, "url") or "")
    return match.group(1) if match else None
