"""More than the endpoint takes: refused with OVERLOADED and Retry-After, and only what got a 200 is stored."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from ingest import commit, landing
from ingest.recovery import drain
from ingest.routes import batches
from tests.integration.endpoint import serving
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

LINES = 200
SENDERS = 24


def send(client: httpx.Client, sender: int, padding: int = 0) -> tuple[httpx.Response, list[str]]:
    names = [f"{sender}-{line}" for line in range(LINES)]
    lines = [{"sessionId": name, "timestamp": 1_771_065_045_000, "padding": "x" * padding} for name in names]
    content = "\n".join(map(json.dumps, lines))
    answer = client.post("/v1/sessions/batch", content=content, headers={"Content-Type": "application/x-ndjson"})
    return answer, names


def check(answers: list[tuple[httpx.Response, list[str]]], reason: str) -> set[str]:
    """Return the sessions that were answered 200; some must be, and some refused for this reason."""
    refused = [answer for answer, _ in answers if answer.status_code != 200]
    for answer in refused:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "OVERLOADED")
        assert int(answer.headers["retry-after"]) >= 1
    assert reason in {answer.json()["error"]["message"] for answer in refused}
    kept = {name for answer, names in answers if answer.status_code == 200 for name in names}
    assert kept
    return kept


@pytest.fixture
def client(storage: StorageSettings) -> Iterator[httpx.Client]:
    with serving(storage) as opened:
        yield opened


def test_more_bytes_than_may_wait_for_the_disk(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, storage: StorageSettings, database: Database, lake: Lake
) -> None:
    monkeypatch.setattr(commit, "MAX_WAITING_BYTES", 1 << 20)
    with ThreadPoolExecutor(SENDERS) as pool:
        # Every second body is larger than all that may wait.
        answers = list(pool.map(lambda sender: send(client, sender, 8_000 * (sender % 2)), range(SENDERS * 2)))
    kept = check(answers, "Too much is waiting to be stored")
    drain(storage, database, lake, timeout_s=60)
    assert set(lake.scan(RAW_SESSIONS).collect()["session_id"]) == kept


def test_more_batches_than_are_judged_at_once(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, storage: StorageSettings, database: Database, lake: Lake
) -> None:
    monkeypatch.setattr(batches, "MAX_IN_HAND", 1)
    with ThreadPoolExecutor(SENDERS) as pool:
        answers = list(pool.map(lambda sender: send(client, sender), range(SENDERS * 4)))
    kept = check(answers, "Too many batches are in hand")
    drain(storage, database, lake, timeout_s=60)
    assert set(lake.scan(RAW_SESSIONS).collect()["session_id"]) == kept


def test_more_than_a_slow_database_follows(
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    connection: psycopg.Connection,
    storage: StorageSettings,
    database: Database,
    lake: Lake,
) -> None:
    monkeypatch.setattr(landing.Landing, "full", property(lambda self: self.backlog > 3 * LINES))
    with connection.transaction():
        connection.execute("LOCK TABLE session_keys IN EXCLUSIVE MODE")
        answers = [send(client, sender) for sender in range(SENDERS)]
        assert client.get("/health/ready").status_code == 503
    kept = check(answers, "The database is too far behind")
    assert len(kept) <= 4 * LINES
    drain(storage, database, lake, timeout_s=60)
    assert client.get("/health/ready").status_code == 200
    assert set(lake.scan(RAW_SESSIONS).collect()["session_id"]) == kept
