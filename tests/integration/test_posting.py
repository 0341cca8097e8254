"""Posting over real HTTP to a small server of the standard library that answers as it is told."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lab.population import Population
from lab.posting import Body, PostingReport, Retries, post_sessions

Answer = tuple[int, dict[str, str], Any]
OK: Answer = (200, {}, {"status": "success"})


@dataclass
class Service:
    """What was received, in order, and how to answer: `answer(body, nth send of this id)`."""

    address: str = ""
    answer: Callable[[dict[str, Any], int], Answer | None] = lambda _body, _nth: OK
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Answer | None:
        with self.lock:
            self.paths.add(path)
            self.bodies.append(body)
            self.headers.append(headers)
            nth = sum(seen["sessionId"] == body["sessionId"] for seen in self.bodies)
        return self.answer(body, nth)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False
    block_on_close = True


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            with service.lock:
                service.connections += 1

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            body = json.loads(text) if text.endswith(b"}") else {"sessionId": "", "text": text}
            answer = service.receive(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(text))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        service.address = f"http://127.0.0.1:{server.server_port}"
        yield service
        server.shutdown()
        thread.join()


def _post(service: Service, bodies: Sequence[Body], **options: Any) -> PostingReport:
    return asyncio.run(post_sessions(service.address, "secret", bodies, **options))


def _bodies(n: int) -> list[dict[str, Any]]:
    return [{"sessionId": f"s{i}"} for i in range(n)]


def test_a_population_arrives_whole_and_unchanged(service: Service) -> None:
    population = Population(3, datetime(2026, 3, 20, tzinfo=UTC), viewers=40)
    seen: list[int] = []
    report = _post(service, list(population.sessions()), on_progress=seen.append)
    assert (report.sent, report.accepted, report.refused) == (len(population), len(population), [])
    assert seen == list(range(1, len(population) + 1))

    def text(bodies: list[dict[str, Any]]) -> list[str]:
        return sorted(json.dumps(body, sort_keys=True) for body in bodies)

    assert text(service.bodies) == text(list(population.sessions()))
    assert service.paths == {"/v1/sessions"}
    assert 0 < report.p50_ms <= report.p95_ms
    assert report.seconds > 0


def test_both_ways_of_giving_the_key_are_used_and_never_together(service: Service) -> None:
    _post(service, _bodies(20))
    bearer = [h for h in service.headers if h.get("authorization") == "Bearer secret" and "x-api-key" not in h]
    plain = [h for h in service.headers if h.get("x-api-key") == "secret" and "authorization" not in h]
    assert len(bearer) == len(plain) == 10
    assert {h["content-type"] for h in service.headers} == {"application/json"}


def test_connections_are_kept(service: Service) -> None:
    _post(service, _bodies(200), concurrency=8)
    assert service.connections <= 8


def test_a_resend_waits_for_what_it_replaces_even_through_retries(service: Service) -> None:
    def answer(body: dict[str, Any], _nth: int) -> Answer:
        tries = sum(seen == body for seen in service.bodies)
        return (503, {"Retry-After": "0"}, {}) if body["version"] == 1 and tries < 4 else OK

    service.answer = answer
    bodies = [{"sessionId": f"s{i % 10}", "version": 1 + i // 10} for i in range(40)]
    report = _post(service, bodies, concurrency=16)
    assert (report.accepted, report.retries) == (40, 30)
    for identifier in {body["sessionId"] for body in bodies}:
        versions = [body["version"] for body in service.bodies if body["sessionId"] == identifier]
        assert versions == [1, 1, 1, 1, 2, 3, 4]


def test_lines_of_a_file_are_sent_as_they_are_in_order_of_their_ids(service: Service) -> None:
    def answer(body: dict[str, Any], nth: int) -> Answer:
        if "text" in body:
            return 400, {}, {"error": {"message": "not JSON"}}
        return (503, {"Retry-After": "0"}, {}) if nth == 1 else OK

    service.answer = answer
    lines = [b'{"sessionId": "a", "n": 1}', b'{"sessionId":', b'{"sessionId": "a", "n": 2}']
    report = _post(service, lines)
    assert (report.accepted, report.refused) == (2, [("", 400, "not JSON")])
    assert [body["n"] for body in service.bodies if body["sessionId"] == "a"] == [1, 1, 2]
    assert b'{"sessionId":' in [body.get("text") for body in service.bodies]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(service: Service, status: int) -> None:
    service.answer = lambda _body, nth: (status, {"Retry-After": "1"}, {}) if nth == 1 else OK
    report = _post(service, _bodies(3))
    assert (report.accepted, report.retries) == (3, 3)
    assert report.seconds >= 1.0


def test_retry_after_may_be_a_date(service: Service) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    service.answer = lambda _body, nth: (429, {"Retry-After": soon}, {}) if nth == 1 else OK
    report = _post(service, _bodies(1))
    assert report.accepted == 1
    assert report.seconds > 0.5


def test_a_lost_connection_is_tried_again(service: Service) -> None:
    service.answer = lambda _body, nth: None if nth <= 2 else OK
    report = _post(service, _bodies(5), retries=Retries(first_pause_s=0.001))
    assert (report.accepted, report.retries) == (5, 10)


def test_what_is_refused_is_reported_with_the_servers_reason_and_not_tried_again(service: Service) -> None:
    def answer(body: dict[str, Any], _nth: int) -> Answer:
        if body["sessionId"] == "s1":
            return 400, {}, {"error": {"code": "INVALID_SCHEMA", "message": "sessionId: no", "timestamp": 1}}
        return (401, {}, b"<html>who?</html>") if body["sessionId"] == "s2" else OK

    service.answer = answer
    report = _post(service, _bodies(4))
    assert (report.sent, report.accepted, report.retries) == (4, 2, 0)
    assert sorted(report.refused) == [("s1", 400, "sessionId: no"), ("s2", 401, "<html>who?</html>")]


def test_patience_ends(service: Service) -> None:
    service.answer = lambda _body, _nth: (503, {}, {"error": {"message": "later"}})
    report = _post(service, _bodies(2), retries=Retries(attempts=3, first_pause_s=0.001))
    assert sorted(report.refused) == [("s0", 503, "later"), ("s1", 503, "later")]
    assert len(service.bodies) == 6
    service.answer = lambda _body, _nth: (429, {"Retry-After": "3600"}, {"error": {"message": "in an hour"}})
    assert _post(service, _bodies(1)).refused == [("s0", 429, "in an hour")]


def test_nobody_listening_is_reported(service: Service) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        address = f"http://127.0.0.1:{closed.server_port}"
    retries = Retries(attempts=2, first_pause_s=0.001)
    report = asyncio.run(post_sessions(address, "secret", _bodies(1), retries=retries))
    [(identifier, status, message)] = report.refused
    assert (identifier, status) == ("s0", 0)
    assert "ConnectError" in message


@pytest.mark.parametrize(("address", "concurrency"), [("ftp://127.0.0.1", 1), ("127.0.0.1:80", 1), ("http://h", 0)])
def test_unusable_arguments_are_refused(address: str, concurrency: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        asyncio.run(post_sessions(address, "secret", [], concurrency=concurrency))
