"""Where requests with CMCD stand in a log: URLs, query arguments, request headers, JSON, access logs.

One request an entry, in the order of the log. What the keys are is in `cmcd_keys`; reading files is not done here.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from warehouse.metrics.cmcd_keys import CmcdError, Value, from_headers, from_json, from_query, parse

_QUERY = re.compile(r"(?:^|[?&\s\"'])CMCD=(?P<argument>[^&\s\"'#]*)")
_QUOTED_HEADER = re.compile(
    r"(?P<name>CMCD-\w+)\"?\s*[:=]\s*(?P<quote>['\"])(?P<value>.*?)(?<!\\)(?P=quote)(?=\s*[,}\s]|$)"
)
_HEADER = re.compile(r"(?P<name>[\w-]+):\s?(?P<value>.*)")
_REQUEST_LINE = re.compile(r"[A-Z]+ \S+ HTTP/[\d.]+")
_LOGGED_AT = re.compile(r"\[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\]")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a log: where it stands, its keys, and when it was made, where the log or the player tells."""

    line: int
    keys: dict[str, Value]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line without CMCD, or with what is none."""

    line: int
    text: str
    reason: str


def read(lines: Iterable[str]) -> Iterator[Request | Unread]:
    """Yield what each entry of a log is; blank lines end a block of headers and are otherwise passed over.

    An entry is a line with a URL, a query argument `CMCD=…` or quoted headers, a JSON object of keys or of headers,
    or a block of lines that are the request line and headers of one request. An access log's time, in brackets, is
    the time of the request.
    """
    block: dict[str, str] = {}
    started = 0
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if block and (not line or _REQUEST_LINE.fullmatch(line)):
            yield _entry(started, "headers", block)
            block = {}
        if not line:
            continue
        if _REQUEST_LINE.fullmatch(line) and "CMCD=" not in line:
            started, block = number, {"": line}
        elif block and (header := _HEADER.fullmatch(line)) is not None:
            block[header["name"]] = header["value"]
        else:
            yield _entry(number, line, None)
    if block:
        yield _entry(started, "headers", block)


def _entry(number: int, text: str, headers: dict[str, str] | None) -> Request | Unread:
    try:
        keys = _keys(text) if headers is None else from_headers(headers)
    except CmcdError as error:
        return Unread(number, text, str(error))
    if keys is None or not keys:
        return Unread(number, text, "no CMCD in it")
    logged = _LOGGED_AT.search(text)
    return Request(number, keys, datetime.strptime(logged[1], "%d/%b/%Y:%H:%M:%S %z") if logged else None)


def _keys(line: str) -> dict[str, Value] | None:
    if line.startswith("{"):
        try:
            plain = json.loads(line)
        except ValueError:
            plain = None
        if isinstance(plain, dict):
            return _of_object(plain)
    if (query := _QUERY.search(line)) is not None:
        return from_query(query["argument"])
    headers = [parse(found["value"]) for found in _QUOTED_HEADER.finditer(line)]
    return {key: value for header in headers for key, value in header.items()} if headers else None


def _of_object(plain: dict[str, object]) -> dict[str, Value] | None:
    """Return the keys that a JSON log entry holds: its headers, a URL or query in one of its fields, or itself."""
    texts = {name: value for name, value in plain.items() if isinstance(value, str)}
    if any(name.lower().startswith("cmcd-") for name in texts):
        return from_headers(texts)
    for value in texts.values():
        if (query := _QUERY.search(value)) is not None:
            return from_query(query["argument"])
    return from_json(plain)
