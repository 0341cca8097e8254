"""A tracker on a free port with providers of its own, at a clock that tests may set."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from ingest.settings import IngestSettings
from tests.integration.endpoint import SETTINGS, serving
from tests.integration.provider_stubs import Providers
from warehouse.settings import StorageSettings
from warehouse.users import HASHER

NOW = datetime(2026, 3, 18, 1, 30, tzinfo=UTC)
"""A Wednesday, 14:30 in Auckland."""

ALICE, BOB = ("alice", "wonderland"), ("bob", "builder")
HASHES = {name: HASHER.hash(password) for name, password in (ALICE, BOB)}


def settings_with(providers: Providers | None = None, **changes: Any) -> IngestSettings:
    given = {} if providers is None else {"providers": providers.settings()}
    return dataclasses.replace(SETTINGS, users=HASHES, enrich_s=2.0, **given | changes)


@contextmanager
def tracking(
    storage: StorageSettings, providers: Providers | None = None, now: datetime | None = NOW, **changes: Any
) -> Iterator[httpx.Client]:
    """Serve; yield a client of alice."""
    fixed = dataclasses.replace(storage, fixed_now=now)
    with serving(fixed, settings_with(providers, **changes)) as client:
        client.headers.pop("X-API-Key")
        client.auth = ALICE
        yield client


def series(name: str, minutes: int | None = 24) -> dict[str, Any]:
    data = {"name": name, "image": f"https://art.example/{name}.jpg", "averageRuntime": minutes}
    return {"status": "success", "data": data}


def movie(name: str, minutes: int | None = 90) -> dict[str, Any]:
    return {"status": "success", "data": {"name": name, "image": f"https://art.example/{name}.jpg", "runtime": minutes}}


def files(folder: str, *names: str) -> dict[str, Any]:
    return {"episodes": [{"folder_name": folder, "file_name": name} for name in names]}
