"""Connections that send no head, or never finish one, are closed; others are not."""

import socket
import time

import pytest

from tests.integration.endpoint import KEY, serving
from warehouse.settings import StorageSettings

HEAD = f"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY['X-API-Key']}\r\n".encode()
BODY = b'{"sessionId": "s-1", "timestamp": 1771065045000}'


def is_closed(connection: socket.socket, *, dripping: bool) -> bool:
    """Tell whether the other side closes within 10 s, although bytes go on coming."""
    connection.settimeout(0.05)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if dripping:
                connection.sendall(b"X")
            return not connection.recv(1)
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def test_who_does_not_finish_a_head_is_cut_off(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.connections.HEAD_S", 0.5)
    with serving(storage) as client:
        address = ("127.0.0.1", client.base_url.port or 0)
        with socket.create_connection(address, 10) as silent, socket.create_connection(address, 10) as slow:
            slow.sendall(HEAD)
            assert is_closed(slow, dripping=True)
            assert is_closed(silent, dripping=False)


def test_a_second_head_must_come_in_time_too(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.connections.HEAD_S", 0.5)
    whole = HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    with (
        serving(storage) as client,
        socket.create_connection(("127.0.0.1", client.base_url.port or 0), 10) as connection,
    ):
        for _ in range(2):
            connection.sendall(whole)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            time.sleep(0.6)  # longer than a head may take: the connection is idle, not late
        connection.sendall(HEAD)
        assert is_closed(connection, dripping=True)


def test_head_and_body_of_an_answer_come_together(storage: StorageSettings) -> None:
    whole = HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    with (
        serving(storage) as client,
        socket.create_connection(("127.0.0.1", client.base_url.port or 0), 10) as connection,
    ):
        connection.sendall(whole)
        assert b'"status":"success"' in connection.recv(65_536)
        connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 ")
        connection.sendall(whole + whole)  # pipelined
        answers = b""
        while answers.count(b'"status":"success"') < 2:
            answers += connection.recv(65_536)
