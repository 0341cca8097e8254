"""Bodies that never end: their senders are let go of, and hold no place that others need."""

import socket
from contextlib import ExitStack

import httpx
import pytest

from ingest.routes.batches import MAX_IN_HAND
from tests.integration.endpoint import KEY, serving
from warehouse.settings import StorageSettings

LINE = {"sessionId": "s-1", "timestamp": 1_771_065_045_000}


def stall(client: httpx.Client, path: str) -> socket.socket:
    """Announce a body, send a part of it, and stop."""
    connection = socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY['X-API-Key']}\r\n"
    connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n[".encode())
    return connection


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/sessions/batch"])
def test_it_is_answered_and_cut_off(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("ingest.bodies.BODY_S", 0.2)
    with serving(storage) as client, stall(client, path) as connection:
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"REQUEST_TIMEOUT"' in answer


def test_batches_are_taken_again(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.bodies.BODY_S", 1.0)
    with serving(storage) as client, ExitStack() as stack:
        stalled = [stack.enter_context(stall(client, "/v1/sessions/batch")) for _ in range(MAX_IN_HAND + 2)]
        for connection in stalled:
            connection.recv(1)
        answer = client.post("/v1/sessions/batch", json=[LINE])
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
