"""Posts items by the list: bodies of one key and as many items as one request should hold."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import httpx

AT_ONCE = 2_000


def client(base_url: str, api_key: str) -> httpx.Client:
    """Return a client of an endpoint, with a key."""
    return httpx.Client(base_url=base_url, headers={"X-API-Key": api_key}, trust_env=False, timeout=60)


def post(client: httpx.Client, path: str, key: str, items: Iterable[Mapping[str, Any]]) -> int:
    """Post the items as `{key: [...]}`; return how many were accepted. Raises `httpx.HTTPError` for what is refused."""
    accepted = 0
    for body in _bodies(key, items):
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        answer.raise_for_status()
        told = answer.json()
        accepted += told.get("data", told)["accepted"]
    return accepted


def _bodies(key: str, items: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    left = iter(items)
    while part := list(islice(left, AT_ONCE)):
        yield json.dumps({key: part}).encode()
