"""msgspec's words on a value that breaks its contract, put into the sender's: which field, and what it must be.

What the fields of a body are is in the contract's own file.
"""

import re

_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`(?: - at `\$\.?(?P<path>[^`]*)`)?")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`(?: - at `\$\.?(?P<path>[^`]*)`)?")
_ENUM = re.compile(r"Invalid enum value .* - at `\$\.?(?P<path>[^`]*)`", re.DOTALL)
_PROBLEM = re.compile(
    r"Expected `(?P<type>[^`]*)`(?P<bound>[^,]*?)(?:, got `(?P<got>[^`]*)`)?(?: - at `\$\.?(?P<path>[^`]*)`)?",
    re.DOTALL,
)
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "object": "an object",
    "array": "an array",
    "int | str": "a whole number or a string",
    "int | float | str": "epoch milliseconds or an ISO 8601 date and time",
}
_UNITS = {"array": "entries", "array | null": "entries"}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def explain(problem: str, parent: str = "") -> str:
    """Return the message for a `msgspec.ValidationError`; `parent` is the path of the value that was converted."""
    if (found := _MISSING.fullmatch(problem)) is not None:
        return f"Missing required field: {_path(parent, found['path'], found['field'])}"
    if (found := _UNKNOWN.fullmatch(problem)) is not None:
        return f"Unknown field: {_path(parent, found['path'], found['field'])}"
    if (found := _ENUM.fullmatch(problem)) is not None:
        return f"{_path(parent, found['path'])} is not one of the known values"
    if (found := _PROBLEM.fullmatch(problem)) is None:
        return problem
    name = _path(parent, found["path"]) or "Body"
    if found["got"] == "null" and "null" not in found["type"]:
        return f"Missing required field: {name}"
    return f"{name} must be {_bound(found['type'], found['bound'].strip()) or _type(found['type'])}"


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part).replace(".[", "[")


def _type(name: str) -> str:
    return _TYPES.get(name.removesuffix(" | null"), name)


def _bound(kind: str, bound: str) -> str:
    words = bound.split()
    if words == ["of", "length", ">=", "1"]:
        return "not empty"
    if words[:2] == ["of", "length"] and len(words) == 4:
        return f"{_BOUNDS[words[2]]} {words[3]} {_UNITS.get(kind, 'characters')}"
    if len(words) == 2 and words[0] in _BOUNDS:
        return f"{_BOUNDS[words[0]]} {words[1].removesuffix('.0')}"
    return bound
