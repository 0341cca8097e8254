"""Strict JSON: what every body contract refuses before its fields are looked at.

Refused anywhere in a body: text that is not JSON in UTF-8, duplicate keys, U+0000, lone surrogates, nesting deeper
than `MAX_DEPTH`, numbers outside a double's range. Each would abort a batch in Postgres or be read as null by a JSON
parser further on. Field rules are in the contract's own file.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ingest.errors import InvalidSchema

MAX_DEPTH = 64
"""Levels of objects and arrays; parsers further on stop at 128."""

MAX_INTEGER = 10**300
"""Beyond it an integer has no double, and JSON parsers further on give up the whole document."""

MAX_EXPONENT = 400
MAX_LITERAL = 4_000
"""Characters of a number; `numeric` holds 16,383 digits after the point."""

_EXTREME_NUMBER = re.compile(rb"[0-9][eE][+-]?[0-9]{3}|[0-9.]{%d}" % MAX_LITERAL)
_SURROGATE = re.compile("[\ud800-\udfff]")


class DuplicateKeyError(ValueError):
    """An object repeats a key; the message is the key."""


def decode(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body` as plain values; raise InvalidSchema, naming the field where there is one."""
    try:
        plain = msgspec.json.decode(body)
    except RecursionError:
        raise InvalidSchema(f"Body is nested deeper than {MAX_DEPTH} levels") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidSchema(_why_not_json(body, error)) from None
    if type(plain) is not dict:
        raise InvalidSchema("Body must be a JSON object")
    tally = _Tally()
    colons = tally.of(plain, 1)
    if b"\\" in body:
        _check_escaped(body, plain)
    elif colons != body.count(b":"):
        raise InvalidSchema(_duplicate(body))
    if (tally.zero_float or len(body) > MAX_LITERAL) and _EXTREME_NUMBER.search(body):
        _load(body, parse_float=_check_literal)
    return plain


class _Tally:
    """One walk over a decoded body: counts keys and the colons in strings, bounds depth and integers.

    In a body without escapes every `:` byte separates a key from its value or stands in a string, so that the count
    equals the bytes exactly when no key was dropped as a duplicate.
    """

    __slots__ = ("zero_float",)

    def __init__(self) -> None:
        self.zero_float = False

    def of(self, value: dict[str, Any] | list[Any], depth: int) -> int:
        if depth > MAX_DEPTH:
            raise InvalidSchema(f"Body is nested deeper than {MAX_DEPTH} levels")
        total = 0
        if type(value) is dict:
            total = len(value)
            for key in value:
                total += key.count(":")
            items: Any = value.values()
        else:
            items = value
        for item in items:
            kind = type(item)
            if kind is str:
                total += item.count(":")
            elif kind is int:
                if not -MAX_INTEGER < item < MAX_INTEGER:
                    raise InvalidSchema(f"{_where(value, item)} is a number out of range")
            elif kind is float:
                if item == 0.0:
                    self.zero_float = True
            elif kind is dict or kind is list:
                total += self.of(item, depth + 1)
        return total


def _check_escaped(body: bytes, plain: dict[str, Any]) -> None:
    if b"\\u0000" in body:
        for path, text in _strings(plain, ""):
            if "\0" in text:
                raise InvalidSchema(f"{path} must not contain U+0000")
    _load(body)


def _why_not_json(body: bytes, error: Exception) -> str:
    """Explain a decoding error; name the field that holds a lone surrogate, which only escapes can make."""
    if isinstance(error, UnicodeDecodeError):
        return "Body is not valid UTF-8"
    if "out of range" in str(error):
        return "Body holds a number out of range"
    if b"\\u" in body:
        try:
            path = next((path for path, text in _strings(_load(body), "") if _SURROGATE.search(text)), None)
        except RecursionError:
            return f"Body is nested deeper than {MAX_DEPTH} levels"
        if path is not None:
            return f"{path} must not contain a lone surrogate"
    return "Body is not valid JSON"


def _duplicate(body: bytes) -> str:
    try:
        _load(body)
    except InvalidSchema as error:
        return error.message
    return "Body repeats a key"


def _load(body: bytes, parse_float: Callable[[str], Any] | None = None) -> Any:
    """Parse with the standard library, which shows each key as it is met; raise InvalidSchema."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_unique, parse_float=parse_float, parse_int=_integer)
    except DuplicateKeyError as error:
        raise InvalidSchema(f"Duplicate key: {_shown(str(error))}") from None
    except (ValueError, RecursionError):
        raise InvalidSchema("Body is not valid JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKeyError(key)
            seen.add(key)
    return unique


def _integer(literal: str) -> int:
    return 0  # only the shape of the document is looked at; the value was bounded before


def _check_literal(literal: str) -> float:
    exponent = literal.lower().partition("e")[2]
    digits = exponent.lstrip("+-").lstrip("0")
    if len(literal) > MAX_LITERAL or len(digits) > 3 or int(digits or 0) > MAX_EXPONENT:
        raise InvalidSchema(f"Number out of range: {_shown(literal)}")
    return 0.0


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every string with the path of its field; a key under its own name."""
    if isinstance(value, str):
        yield path or "Body", value
    elif isinstance(value, dict):
        for key, item in value.items():
            inner = f"{path}.{_shown(key)}" if path else _shown(key)
            yield inner, key
            yield from _strings(item, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")


def _where(container: dict[str, Any] | list[Any], item: Any) -> str:
    if isinstance(container, dict):
        return _shown(next(key for key, value in container.items() if value is item))
    return "An array element"


def _shown(text: str) -> str:
    """Return the text as it may stand in a message: printable, bounded."""
    printable = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:65])
    return printable if len(printable) <= 64 else printable[:61] + "..."
