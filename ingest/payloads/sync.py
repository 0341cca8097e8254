"""The bodies of the tracker's routes: what each must hold. Unknown fields are kept, and lists may repeat an item.

What they mean is in `warehouse.metrics.watch_bodies`; bodies of imports are in `watch_import`.
"""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ingest.errors import InvalidSchema, PayloadTooLarge
from ingest.payloads import strict

MAX_ITEMS = 100_000
"""Most items of a body."""

Name = Annotated[
    str, Meta(min_length=1, max_length=255, description="A name of a file or folder, as the system has it")
]
ItemId = Annotated[str, Meta(min_length=1, max_length=128)]
TitleId = Annotated[int, Meta(ge=1, le=2_147_483_647)]

S = TypeVar("S", bound=msgspec.Struct)

_PROBLEM = re.compile(r"(?P<problem>.*?)(?: - at `\$(?P<path>.*)`)?")
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
_EXPECTED = re.compile(r"Expected `(?P<type>[^`]*)`(?P<bound>[^,]*?)(?:, got `.*`)?")
_TYPES = {
    "int": "a whole number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


class EpisodeFile(msgspec.Struct):
    """A watched file of a local show."""

    folder_name: Name
    file_name: Name


class Episodes(msgspec.Struct):
    """`POST /sync`."""

    episodes: list[EpisodeFile]


class Show(msgspec.Struct):
    """`PUT /show`."""

    folder_name: Name
    tvdb_id: TitleId


class MovieFile(msgspec.Struct):
    """A watched local movie, with its id at TVDB or TMDB: exactly one of them."""

    file_name: Name
    tvdb_id: TitleId | None = None
    tmdb_id: TitleId | None = None


class Movies(msgspec.Struct):
    """`POST /syncmovies`."""

    movies: list[MovieFile]


class Videos(msgspec.Struct):
    """`POST /syncyoutube`."""

    video_ids: list[ItemId]


class Podcasts(msgspec.Struct):
    """`POST /syncspotify`."""

    episode_ids: list[ItemId]
    backfill: Annotated[bool | None, Meta(description="Also the show's episodes released up to each of these")] = None


EXAMPLES: dict[type[msgspec.Struct], dict[str, Any]] = {
    Episodes: {"one episode": {"episodes": [{"folder_name": "show_name", "file_name": "episode_name"}]}},
    Show: {"a series": {"folder_name": "show_name", "tvdb_id": 12_345}},
    Movies: {"by TVDB and TMDB": {"movies": [{"file_name": "a", "tvdb_id": 674}, {"file_name": "b", "tmdb_id": 603}]}},
    Videos: {"one video": {"video_ids": ["dQw4w9WgXcQ"]}},
    Podcasts: {"up to an episode": {"episode_ids": ["512ojhOuo1ktJprKbVcKyQ"], "backfill": True}},
}
"""Bodies for the OpenAPI document, by contract."""


def accept(body: bytes, contract: type[S]) -> S:
    """Return a body as its contract has it. Raises InvalidSchema, naming field and index, and PayloadTooLarge."""
    plain = strict.decode(body)
    try:
        accepted = msgspec.convert(plain, contract)
    except msgspec.ValidationError as error:
        raise InvalidSchema(_explain(str(error))) from None
    for field, items in _lists(accepted):
        if len(items) > MAX_ITEMS:
            raise PayloadTooLarge(f"{field} has more than {MAX_ITEMS} items")
        for index, item in enumerate(items):
            _check(f"{field}[{index}]", item)
    if not _lists(accepted):
        _check("", accepted)
    return accepted


def schema(contract: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON schema of a body, for the OpenAPI document."""
    _, components = msgspec.json.schema_components([contract], ref_template="#/$defs/{name}")
    own = components.pop(contract.__name__)
    inlined: dict[str, Any] = _inlined(own, components)
    return inlined


def _lists(accepted: msgspec.Struct) -> list[tuple[str, list[Any]]]:
    fields = ((name, getattr(accepted, name)) for name in accepted.__struct_fields__)
    return [(name, value) for name, value in fields if isinstance(value, list)]


def _check(path: str, item: Any) -> None:
    """Refuse what no type tells: blank names, movies without an id or with two."""
    texts = {"": item} if isinstance(item, str) else msgspec.structs.asdict(item)
    for name, value in texts.items():
        if isinstance(value, str) and not value.strip():
            raise InvalidSchema(f"{'.'.join(filter(None, (path, name)))} must not be blank")
    if isinstance(item, MovieFile) and (item.tvdb_id is None) == (item.tmdb_id is None):
        raise InvalidSchema(f"{path} must have either tvdb_id or tmdb_id")


def _explain(text: str) -> str:
    """Put msgspec's words into the sender's."""
    found = _PROBLEM.fullmatch(text)
    problem, path = (found["problem"], (found["path"] or "").lstrip(".")) if found else (text, "")
    if (missing := _MISSING.fullmatch(problem)) is not None:
        return f"Missing required field: {'.'.join(filter(None, (path, missing['field'])))}"
    expected = _EXPECTED.fullmatch(problem)
    if expected is None:
        return f"{path or 'Body'}: {problem}"
    bound = expected["bound"].strip()
    if bound.startswith("of length"):
        least, length = ("at least", "at most")[">=" not in bound], bound.split()[-1]
        wanted = f"{least} {length} characters" if length != "1" else "not be blank"
        return f"{path} must {wanted}" if length == "1" else f"{path} must be {wanted}"
    kind = expected["type"].removesuffix(" | null")
    return f"{path or 'Body'} must be {bound or _TYPES.get(kind, kind)}"


def _inlined(schema: Any, components: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(components[schema["$ref"].rpartition("/")[2]], components)
        return {name: _inlined(value, components) for name, value in schema.items()}
    return [_inlined(value, components) for value in schema] if isinstance(schema, list) else schema
