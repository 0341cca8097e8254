"""Bodies that hold a list of items under one key: how they are cut, and what becomes of each item.

What an item is is in `events`, `streams` and `epas`; sessions by the batch are in `batch`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from ingest.errors import ApiError, InvalidSchema, PayloadTooLarge
from ingest.payloads import strict
from ingest.payloads.batch import Rejected

MAX_ITEMS = 50_000
"""Most items of a body."""
MAX_ITEM_BYTES = 65_536
"""Longest item."""

_body = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted item: its landing record (a JSON object), and what tells it from others of its kind and tenant."""

    record: bytes
    identity: tuple[str | int, ...]


@dataclass
class Verdict:
    """What became of the items so far: records to land, how many of them repeat another, refusals by index."""

    records: list[bytes] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    _seen: set[tuple[str | int, ...]] = field(default_factory=set)

    def take(self, found: Sequence[bytes], first: int, accept: Callable[[bytes], Accepted]) -> None:
        """Judge the next items, the first of which stands at `first`; repeats are landed and counted."""
        for index, item in enumerate(found, first):
            try:
                if len(item) > MAX_ITEM_BYTES:
                    raise PayloadTooLarge(f"Item is larger than {MAX_ITEM_BYTES} bytes")
                accepted = accept(item)
            except ApiError as error:
                self.rejected.append(Rejected(index, error.code, error.message))
                continue
            self.duplicates += accepted.identity in self._seen
            self._seen.add(accepted.identity)
            self.records.append(accepted.record)


def items(body: bytes, key: str) -> list[bytes]:
    """Return the items of `{key: [...]}` as they were sent. Raises InvalidSchema where it is none, PayloadTooLarge."""
    try:
        found = _body.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        strict.decode(body)
        raise InvalidSchema("Body must be a JSON object") from None
    if key not in found:
        raise InvalidSchema(f"Missing required field: {key}")
    try:
        listed = _list.decode(found[key])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidSchema(f"{key} must be an array") from None
    if len(listed) > MAX_ITEMS:
        raise PayloadTooLarge(f"Body has more than {MAX_ITEMS} {key}")
    return [bytes(item) for item in listed]


def judge(found: Sequence[bytes], accept: Callable[[bytes], Accepted]) -> Verdict:
    """Judge every item; one that is refused costs its neighbours nothing."""
    verdict = Verdict()
    verdict.take(found, 0, accept)
    return verdict
