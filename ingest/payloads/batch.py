"""Many sessions in one body: how it is cut into sessions, and what becomes of each.

A session's own contract is in `session`. When and where accepted records are stored is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from ingest.errors import ApiError, InvalidSchema, PayloadTooLarge
from ingest.payloads import session

MAX_SESSIONS = 200_000
"""Most sessions of a body: as many as fit into the limit, and few enough that the answer stays bounded."""

_array = msgspec.json.Decoder(list[msgspec.Raw])


class Rejected(msgspec.Struct):
    """A session of the body that was refused."""

    index: int
    """Its position in the body, from 0; blank lines do not count."""
    code: str
    message: str


@dataclass
class Verdict:
    """What became of the sessions so far: records to land, how many of them repeat a session, refusals."""

    records: list[bytes] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    _seen: set[tuple[str, int | None]] = field(default_factory=set)

    def accept(self, bodies: Sequence[bytes], first: int, *, tenant: str, now: datetime, limit: int) -> None:
        """Judge the next bodies, the first of which stands at `first`; more than `limit` bytes are too many for one."""
        for index, body in enumerate(bodies, first):
            try:
                if len(body) > limit:
                    raise PayloadTooLarge(f"A session is larger than {limit} bytes")
                accepted = session.accept(body, tenant=tenant, now=now)
            except ApiError as error:
                self.rejected.append(Rejected(index, error.code, error.message))
                continue
            identity = (str(accepted.session_id), accepted.identity_at)
            self.duplicates += identity in self._seen
            self._seen.add(identity)
            self.records.append(accepted.record)


def lines(body: bytes) -> list[bytes]:
    """Return the lines of NDJSON that are not blank. Raises InvalidSchema when there is none, PayloadTooLarge."""
    if body.count(b"\n") > MAX_SESSIONS:
        raise PayloadTooLarge(f"Body has more than {MAX_SESSIONS} lines")
    found = [line for line in body.split(b"\n") if line and not line.isspace()]
    if not found:
        raise InvalidSchema("Body is empty")
    return found


def elements(body: bytes) -> list[bytes]:
    """Return the elements of a JSON array as they were sent. Raises InvalidSchema when it is none, PayloadTooLarge."""
    if not body.strip():
        raise InvalidSchema("Body is empty")
    try:
        found = _array.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidSchema("Body must be a JSON array of sessions") from None
    if len(found) > MAX_SESSIONS:
        raise PayloadTooLarge(f"Body has more than {MAX_SESSIONS} sessions")
    return [bytes(element) for element in found]


def schema() -> dict[str, Any]:
    """Return the JSON schema of a body that is an array, for the OpenAPI document."""
    return {"type": "array", "items": session.schema()}
