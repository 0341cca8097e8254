"""Links of `watched.txt`: which YouTube video or Spotify episode a line names. No file and no network here."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

Service = Literal["youtube", "spotify"]

_VIDEO = re.compile(r"[A-Za-z0-9_-]{11}")
_EPISODE = re.compile(r"[A-Za-z0-9]{22}")
_YOUTUBE = ("youtube.com", "youtube-nocookie.com")
_VIDEO_FOLDERS = {"shorts", "embed", "live", "v"}
_AROUND = "<>()[]{}\"',;"


@dataclass(frozen=True)
class Link:
    """A video or a podcast episode, by its id at the service."""

    service: Service
    id: str


def links(line: str) -> list[Link]:
    """Return what a line names, in order: ids alone on it, or any addresses among other words."""
    if alone := read_link(line):
        return [alone]
    found = (read_link(word.strip(_AROUND)) for word in line.split() if "/" in word or word.startswith("spotify:"))
    return [link for link in found if link is not None]


def read_link(text: str) -> Link | None:
    """Return what a single address or a bare id names; None for anything else, such as a channel or a playlist.

    YouTube: `watch?v=`, `shorts/`, `embed/`, `live/`, `v/`, `youtu.be/`, ids of 11 characters. Spotify: `episode/`,
    `spotify:episode:`, ids of 22. Addresses may lack their scheme and may have any query.
    """
    text = text.strip()
    if _VIDEO.fullmatch(text):
        return Link("youtube", text)
    episode = text.removeprefix("spotify:episode:")
    if _EPISODE.fullmatch(episode):
        return Link("spotify", episode)
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        host = (address.hostname or "").removesuffix(".")
    except ValueError:
        return None
    if address.scheme.lower() not in {"http", "https"}:
        return None
    if host == "youtu.be" or any(f".{host}".endswith(f".{domain}") for domain in _YOUTUBE):
        return _video(host, address)
    if host == "open.spotify.com":
        return _episode(address)
    return None


def _video(host: str, address: SplitResult) -> Link | None:
    parts = [part for part in address.path.split("/") if part]
    if host == "youtu.be":
        one = parts[0] if parts else ""
    elif parts == ["watch"]:
        one = parse_qs(address.query).get("v", [""])[0]
    else:
        one = parts[1] if len(parts) > 1 and parts[0] in _VIDEO_FOLDERS else ""
    return Link("youtube", one) if _VIDEO.fullmatch(one) else None


def _episode(address: SplitResult) -> Link | None:
    """Read `/episode/<id>`, also below `/embed` and a language such as `/intl-de`."""
    parts = [part for part in address.path.split("/") if part]
    if len(parts) >= 2 and parts[-2] == "episode" and _EPISODE.fullmatch(parts[-1]):
        return Link("spotify", parts[-1])
    return None
