"""CMCD (CTA-5004): one request's keys, from a query argument, request headers or JSON, as plain values.

Version 1 whole, of version 2 what a player tells of itself. Where a request stands in a log is found in `cmcd_logs`,
what a session makes of its requests in `cmcd`.
"""

import json
import math
import re
from collections.abc import Mapping
from urllib.parse import unquote

Value = str | float | bool

HEADERS = ("CMCD-Object", "CMCD-Request", "CMCD-Status", "CMCD-Session")

_VERSION_1 = {"bl", "br", "d", "dl", "mtp", "pr", "rtp", "tb", "v"}
_VERSION_2 = {"ab", "bsa", "bsd", "bsda", "dfa", "lab", "lb", "ltc", "msd", "pb", "pt", "rc", "sn", "tab", "tbl", "tpb"}
NUMBERS = frozenset(_VERSION_1 | _VERSION_2 | {"ts", "ttfb", "ttfbb", "ttlb"})
BOOLEANS = frozenset({"bg", "bs", "nr", "su"})
TOKENS = frozenset({"e", "ot", "sf", "st", "sta"})
"""Keys by the type of their value, the others are texts; a custom key carries a hyphen and may hold anything."""

_PAIR = re.compile(
    r"""\s*(?P<key>[A-Za-z][A-Za-z0-9._*-]*)
    (?:=(?:"(?P<text>(?:[^"\\]|\\.)*)"|\((?P<list>[^)]*)\)|(?P<bare>[^",\s()]*)))?\s*(?:,|$)""",
    re.VERBOSE,
)


class CmcdError(ValueError):
    """What is not CMCD; the message names the key."""


def parse(text: str) -> dict[str, Value]:
    """Return the keys of one decoded CMCD string, such as `bl=1800,bs,sid="a"`. Raises CmcdError.

    A key without value is true. Numbers may have fractions, which some players send where the standard wants whole
    ones. A version 2 list, `br=(3000;v 128;a)`, becomes its video entry, where there is none its first.
    """
    found: dict[str, Value] = {}
    position = 0
    text = text.strip()
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None:
            raise CmcdError(f"not a key and value: {text[position : position + 40]!r}")
        position = pair.end()
        found[pair["key"]] = _value(pair)
    return found


def from_query(argument: str) -> dict[str, Value]:
    """Return the keys of the CMCD argument of a query, percent-encoded as it stands there."""
    return parse(unquote(argument))


def from_headers(headers: Mapping[str, str]) -> dict[str, Value]:
    """Return the keys of a request's CMCD headers, whatever their case; other headers are left out."""
    by_name = {name.lower(): value for name, value in headers.items()}
    found: dict[str, Value] = {}
    for name in HEADERS:
        found |= parse(by_name.get(name.lower(), ""))
    return found


def from_json(plain: Mapping[str, object]) -> dict[str, Value]:
    """Return the keys of a JSON object of CMCD keys. Raises CmcdError for a value of another type than its key's."""
    return {key: _checked(key, value) for key, value in plain.items() if value is not None}


def _value(pair: re.Match[str]) -> Value:
    key = pair["key"]
    if pair["text"] is not None:
        return _checked(key, re.sub(r"\\(.)", r"\1", pair["text"]))
    if pair["list"] is not None:
        return _checked(key, _entry(pair["list"]))
    bare = pair["bare"]
    if bare is None:
        return _checked(key, True)
    if bare in {"?0", "?1"}:
        return _checked(key, bare == "?1")
    if key in TOKENS:
        return _checked(key, bare)
    try:
        return _checked(key, float(bare))
    except ValueError:
        return _checked(key, bare)


def _entry(listed: str) -> float | str:
    entries = [item.partition(";") for item in listed.split()]
    if not entries:
        raise CmcdError("an empty list")
    value = next((value for value, _, kind in entries if kind in {"v", "av"}), entries[0][0]).strip('"')
    try:
        return float(value)
    except ValueError:
        return value


def _checked(key: str, value: object) -> Value:
    if isinstance(value, bool):
        expected = key in BOOLEANS or "-" in key
    elif isinstance(value, int | float):
        expected = (key in NUMBERS or "-" in key) and math.isfinite(value)
        value = float(value)
    elif key in BOOLEANS and value in {"true", "false"}:
        return value == "true"
    else:
        expected = isinstance(value, str) and key not in NUMBERS and key not in BOOLEANS
    if not expected or not isinstance(value, str | float | bool):
        raise CmcdError(f"{key} cannot be {json.dumps(value, default=str)[:64]}")
    return value
