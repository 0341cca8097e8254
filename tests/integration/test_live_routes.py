"""Telemetra's API, the WebSockets and the analytics routes, on a real endpoint."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ingest import connections, hub
from ingest.routes import watching
from tests.integration.endpoint import serving
from tests.integration.test_live_landing import EVENTS
from warehouse.settings import StorageSettings


@pytest.fixture
def client(storage: StorageSettings) -> Iterator[httpx.Client]:
    with serving(storage) as opened:
        yield opened


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def land(client: httpx.Client, stream: str = "s", *, public: bool = True) -> None:
    described = {"stream_id": stream, "title": "Run", "is_live": True, "public": public}
    assert client.post("/v1/streams", json=described).status_code == 200


def chat(client: httpx.Client, first: int, last: int, stream: str = "s") -> None:
    at = now_ms() - 1000
    messages = [
        {"message_id": f"m{n}", "stream_id": stream, "user_id": f"u{n % 5}", "message": "great", "timestamp": at - n}
        | {"emotes": ["PogChamp"]}
        for n in range(first, last)
    ]
    assert client.post("/v1/chat", json={"messages": messages}).status_code == 200


def until(client: httpx.Client, path: str, holds: Any) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = client.get(path)
        if answer.status_code == 200 and holds(answer.json()):
            return answer.json()
        time.sleep(0.05)
    raise AssertionError(answer.text)


def open_socket(client: httpx.Client, path: str, *, key: bool = False) -> AbstractContextManager[ClientConnection]:
    headers = {"X-API-Key": "dev-key"} if key else {}
    url = str(client.base_url).replace("http", "ws").rstrip("/")
    return connect(url + path, additional_headers=headers, proxy=None)


def closed_with(opening: AbstractContextManager[ClientConnection]) -> int:
    with opening as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_streams_are_listed_to_whom_they_belong(client: httpx.Client) -> None:
    land(client)
    land(client, "own", public=False)
    listed = until(client, "/api/v1/streams", lambda rows: len(rows) == 2)
    assert {row["stream_id"] for row in listed} == {"s", "own"}
    anonymous = httpx.Client(base_url=client.base_url)
    with anonymous:
        assert [row["stream_id"] for row in anonymous.get("/api/v1/streams").json()] == ["s"]
        assert anonymous.get("/api/v1/streams/own/metrics").status_code == 404
        assert anonymous.get("/api/v1/streams", headers={"X-API-Key": "wrong"}).status_code == 401
        assert anonymous.get("/api/v1/health").json()["status"] == "ok"
    assert client.get("/api/v1/streams/none/moments").json()["error"]["code"] == "NOT_FOUND"
    for path in ("streams?limit=0", "streams?limit=501", "streams?offset=-1", "streams/s/metrics?limit=1001"):
        assert client.get(f"/api/v1/{path}").status_code == 422
    problem = client.get("/api/v1/streams?limit=0&offset=x").json()["error"]
    assert problem["code"] == "INVALID_PARAMETER"
    assert problem["message"] == "limit must be at least 1; offset must be a whole number"
    assert client.get("/api/v1/streams/s/moments?limit=201").status_code == 422
    assert [row["stream_id"] for row in client.get("/api/v1/streams?limit=1&offset=1").json()] == [
        listed[1]["stream_id"]
    ]


def test_metrics_are_there_at_once_and_renewed_by_new_data(client: httpx.Client) -> None:
    land(client)
    chat(client, 0, 10)
    rows = until(client, "/api/v1/streams/s/metrics", lambda rows: sum(row["chat_count"] for row in rows) == 10)
    assert rows[0]["top_emotes"][0]["name"] == "PogChamp"
    assert rows[0]["sentiment_score"] > 0
    client.post("/v1/viewers", json={"samples": [{"stream_id": "s", "viewer_count": 7, "timestamp": now_ms()}]})
    until(client, "/api/v1/streams/s/metrics", lambda rows: any(row["peak_viewers"] == 7 for row in rows))
    until(client, "/api/v1/streams", lambda rows: rows[0]["viewer_count"] == 7)


def test_a_socket_greets_tells_the_state_and_follows(client: httpx.Client) -> None:
    land(client)
    chat(client, 0, 6)
    until(client, "/api/v1/streams/s/metrics", lambda rows: rows and rows[0]["chat_count"])
    with open_socket(client, "/ws/live/s") as socket:
        greeting = json.loads(socket.recv(10))
        assert (greeting["type"], greeting["stream_id"]) == ("connected", "s")
        state = json.loads(socket.recv(10))
        assert (state["type"], state["chat_rate"], state["unique_chatters"]) == ("metrics", 0.1, 5)
        assert state["data"]["top_emotes"] == [{"name": "PogChamp", "count": 6}]
        chat(client, 6, 12)
        for _ in range(20):
            if json.loads(socket.recv(10))["chat_rate"] == 0.2:
                break
        else:
            raise AssertionError("what landed was never told")
        socket.send("ping")
        assert "pong" in [socket.recv(10) for _ in range(5)]
        with open_socket(client, "/ws/live/health") as health:
            assert json.loads(health.recv(10))["connections"] == 1


def test_sockets_are_refused(client: httpx.Client) -> None:
    land(client, "own", public=False)
    until(client, "/api/v1/streams", len)
    assert closed_with(open_socket(client, "/ws/live/none", key=True)) == 4404
    assert closed_with(open_socket(client, "/ws/live/own")) == 4404
    assert closed_with(open_socket(client, "/analytics/realtime")) == 4401
    ticket = client.post("/v1/tickets").json()["ticket"]
    with open_socket(client, f"/ws/live/own?ticket={ticket}") as socket:
        assert json.loads(socket.recv(10))["type"] == "connected"
    assert closed_with(open_socket(client, f"/ws/live/own?ticket={ticket}")) == 4401


def test_a_client_that_does_not_read_is_dropped_and_no_other_waits(
    storage: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "EVERY_S", 0.002)
    monkeypatch.setattr(watching, "SLOW_S", 0.5)
    monkeypatch.setattr(connections, "LEFT_S", 0.0)
    with serving(storage, send_bytes=4_096) as client:
        land(client)
        until(client, "/api/v1/streams", len)
        drop_who_does_not_read(client, "/ws/live/s")


def drop_who_does_not_read(client: httpx.Client, path: str) -> None:
    with unread_socket(client, path) as stuck, open_socket(client, path) as reading:
        counts: set[int] = set()
        deadline = time.monotonic() + 20
        while counts != {1, 2} or counted(client) != 1:
            assert time.monotonic() < deadline, "who does not read is still served"
            assert json.loads(reading.recv(2))["type"] in {"connected", "metrics"}
            counts.add(counted(client))
        # What the endpoint itself held for it (64 KiB, before it was made to wait) is let go.
        stuck.settimeout(10)
        received = 0
        while part := stuck.recv(65_536):
            received += len(part)
        assert received < 65_536


@contextmanager
def unread_socket(client: httpx.Client, path: str) -> Iterator[socket.socket]:
    """Open a WebSocket of little room, and read nothing but its handshake."""
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        opened.connect((client.base_url.host, client.base_url.port))
        lines = (f"GET {path} HTTP/1.1", "Host: here", "Upgrade: websocket", "Connection: Upgrade")
        lines += ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "")
        opened.sendall("\r\n".join(lines).encode())
        assert opened.recv(12) == b"HTTP/1.1 101"
        yield opened


def counted(client: httpx.Client) -> int:
    with open_socket(client, "/ws/live/health") as health:
        connected: int = json.loads(health.recv(10))["connections"]
        return connected


def test_a_video_is_measured(client: httpx.Client) -> None:
    assert client.post("/analytics/events", json={"events": EVENTS}).status_code == 200
    summary = {"sessionId": "sess", "sessionStartDateIso": "2026-03-01T23:50:00Z", "sessionDurationMs": 40_000}
    client.post("/v1/sessions", json=summary | {"playTimeMs": 31_000, "contentId": "v"})
    found = until(client, "/analytics/metrics/v", lambda answer: answer["data"]["watchTime"] == 31_000)
    data = found["data"]
    assert (found["success"], data["sessionCount"], data["startupTime"]) == (True, 1, 800)
    assert data["bufferingEvents"] == [{"timestamp": 1772409010800, "duration": 2000, "position": 10.0}]
    assert (data["completionRate"], data["errorRate"], data["sessions"][0]["sessionId"]) == (0.3, 0.0, "sess")
    unknown = client.get("/analytics/metrics/none")
    assert (unknown.status_code, unknown.json()["success"]) == (404, False)
    assert client.get("/analytics/dashboard").json()["data"]["activeSessions"] == 1
    with open_socket(client, "/analytics/realtime", key=True) as socket:
        assert json.loads(socket.recv(10))["type"] == "connected"
        assert json.loads(socket.recv(10))["data"]["eventsPerMinute"] == 6
