"""How a body with a list of items lands: read, cut, judged item by item, on disk before the answer.

Which routes there are is in `streams` and `events`; what an item is in `ingest.payloads`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.openapi.spec import Operation

from ingest import bodies
from ingest.payloads import listed
from ingest.payloads.batch import Rejected
from ingest.payloads.instants import Arrival
from ingest.payloads.listed import Accepted, Verdict
from ingest.routes.openapi import request_body
from warehouse.access.keys import KeyRecord

BODY_LIMIT = 32 << 20
"""Most bytes of a body, as sent and inflated."""

AT_ONCE = 50
"""Items that are judged before other requests get their turn: about a millisecond."""

LandingRequest = Request[Any, KeyRecord, State]


class Accept(Protocol):
    """The `accept` of a contract in `ingest.payloads`."""

    def __call__(self, body: bytes, /, *, tenant: str, arrival: Arrival) -> Accepted:
        """Validate one item and make it a landing record. Raises InvalidSchema."""
        ...


class Landed(msgspec.Struct):
    """The accepted items are on disk."""

    accepted: int
    """Items that were kept, repeats included."""
    duplicates: int
    """Those among them that repeat an item of the same body."""
    rejected: list[Rejected] = msgspec.field(default_factory=list)
    """Those that were not kept, by their position from 0."""
    status: Literal["success"] = "success"


async def land(request: LandingRequest, key: str, accept: Accept) -> Landed:
    """Land the items of `{key: [...]}` that hold to their contract."""
    with request.app.state.batch_turns:
        return await land_items(request, listed.items(await bodies.read(request, BODY_LIMIT), key), accept)


async def land_items(request: LandingRequest, found: Sequence[bytes], accept: Accept) -> Landed:
    """Judge items one after the other and land the good ones."""
    state = request.app.state
    judge = partial(accept, tenant=request.auth.tenant, arrival=Arrival.at(state.storage.now()))
    verdict = Verdict()
    async with state.batch_turns.judging:
        for first in range(0, len(found), AT_ONCE):
            verdict.take(found[first : first + AT_ONCE], first, judge)
            await asyncio.sleep(0)
    if verdict.records:
        await state.landing.land(verdict.records)
    return Landed(len(verdict.records), verdict.duplicates, verdict.rejected)


def list_of(key: str, example: dict[str, Any]) -> type[Operation]:
    """Return the operation of a route that takes `{key: [item, …]}`, told by an example of an item."""

    @dataclass
    class ListOperation(Operation):
        def to_schema(self) -> dict[str, Any]:
            items = {"type": "array", "items": {"type": "object"}, "maxItems": listed.MAX_ITEMS}
            schema = {"type": "object", "required": [key], "properties": {key: items}}
            return super().to_schema() | {"requestBody": request_body(schema, {key: {key: [example]}})}

    return ListOperation


def one(example: dict[str, Any]) -> type[Operation]:
    """Return the operation of a route that takes one item, told by an example."""

    @dataclass
    class OneOperation(Operation):
        def to_schema(self) -> dict[str, Any]:
            return super().to_schema() | {"requestBody": request_body({"type": "object"}, {"one": example})}

    return OneOperation
