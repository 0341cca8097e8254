"""Health, metrics, logs, documentation and the error format of what the framework answers itself."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest.settings import IngestSettings
from tests.integration.endpoint import KEY, serving
from warehouse.settings import StorageSettings

SESSION = {"sessionId": "s-1", "sessionStartDateIso": "2026-02-14T10:30:00Z", "sessionDurationMs": 45_000}
NAMES = {
    "http_server_requests_total",
    "http_server_request_duration_seconds_bucket",
    "db_connection_pool_active",
    "db_query_duration_seconds_bucket",
    "sessions_ingested_total",
    "landing_backlog",
    "landing_lag_seconds",
    "landing_sealed_segments_total",
}


@pytest.fixture
def client(storage: StorageSettings) -> Iterator[httpx.Client]:
    with serving(storage) as opened:
        del opened.headers["X-API-Key"]
        yield opened


def test_health_is_open(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "healthy"}
    assert client.get("/health/live").json() == {"status": "alive"}
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_front_page(client: httpx.Client) -> None:
    answer = client.get("/").json()
    assert answer.keys() == {"name", "version", "status"}
    assert (answer["name"], answer["status"]) == ("playhead", "running")
    page = client.get("/", headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    for link in re.findall('href="(/[^"]*)"', page.text):
        assert client.get(link).status_code == 200


def test_metrics_count_requests_and_sessions(client: httpx.Client) -> None:
    assert client.post("/v1/sessions", json=SESSION, headers=KEY).status_code == 200
    assert client.post("/v1/sessions", json={}, headers=KEY).status_code == 400
    assert client.get("/nowhere/at/all").status_code == 404
    text = client.get("/metrics").text
    assert {line.partition("{")[0].partition(" ")[0] for line in text.splitlines()} >= NAMES
    assert 'http_server_requests_total{endpoint="/v1/sessions",method="POST",status="200"} 1.0' in text
    assert 'http_server_requests_total{endpoint="/v1/sessions",method="POST",status="400"} 1.0' in text
    assert 'endpoint="unmatched",method="unmatched",status="404"' in text
    assert "nowhere" not in text
    assert "\nsessions_ingested_total 1.0\n" in text


def test_metrics_can_be_turned_off(storage: StorageSettings) -> None:
    with serving(storage, IngestSettings(enable_metrics=False)) as client:
        assert client.get("/metrics").json()["error"]["code"] == "NOT_FOUND"
        assert "/metrics" not in client.get("/", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("GET", "/v1/sessions", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/health", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/docs/assets/nope.js", 404, "NOT_FOUND"),
        ("GET", "/docs/assets/../../__init__.py", 404, "NOT_FOUND"),
    ],
)
def test_the_frameworks_own_answers(client: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


def test_options_is_open(client: httpx.Client) -> None:
    answer = client.options("/v1/sessions")
    assert answer.status_code == 204
    assert "POST" in answer.headers["allow"]


def test_documentation_works_offline(client: httpx.Client) -> None:
    for page in ("/docs", "/redoc"):
        html = client.get(page)
        assert html.status_code == 200
        links = re.findall(r"""<(?:script|link)[^>]* (?:src|href)=["']([^"']*)["']""", html.text)
        loaded = [link for link in links if not link.startswith("data:")]
        assert loaded
        for link in loaded:
            assert link.startswith("/docs/assets/")
            assert client.get(link).status_code == 200


def test_openapi_document(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"].keys() == {"ApiKey", "Basic", "Bearer"}
    landing = document["paths"]["/v1/sessions"]["post"]
    assert landing["security"] == [{"ApiKey": []}, {"Bearer": []}]
    assert landing["responses"].keys() == {"200", "400", "401", "403", "408", "413", "415", "429", "500", "503", "507"}
    body = landing["requestBody"]["content"]["application/json"]
    sdk, legacy = body["schema"]["anyOf"]
    assert set(sdk["required"]) == {"sessionId", "sessionStartDateIso", "sessionDurationMs"}
    assert set(legacy["required"]) == {"sessionId", "timestamp"}
    assert sdk["properties"]["sessionDurationMs"]["exclusiveMinimum"] == 0
    for example in body["examples"].values():
        assert client.post("/v1/sessions", json=example["value"], headers=KEY).status_code == 200
    operations = {"/health", "/health/live", "/health/ready", "/metrics"}
    assert document["paths"].keys() >= {"/v1/sessions", "/v1/sessions/batch"} | operations


def test_request_ids(client: httpx.Client) -> None:
    assert client.get("/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    sent = (b"", b"a\tb", b"\xe9", b"x" * 65)
    made = [client.get("/health", headers={b"X-Request-ID": one}).headers["x-request-id"] for one in sent]
    assert len(set(made)) == 4
    assert all(re.fullmatch("[0-9a-f]{12}-[0-9a-f]+", one) for one in made)


@pytest.mark.parametrize("workers", [1, 2])
def test_served_process(storage: StorageSettings, tmp_path: Path, workers: int) -> None:
    """The real server: JSON logs without keys and health checks, metrics of all workers, a clean end."""
    assert storage.database_url is not None
    script = (
        "import sys; from ingest.server import run\n"
        "if __name__ == '__main__': run(port=int(sys.argv[1]), workers=int(sys.argv[2]))"
    )
    program = tmp_path / "serve.py"
    program.write_text(script)
    port = _free_port()
    url = storage.database_url.render_as_string(hide_password=False)
    env = {"PLAYHEAD_HOME": str(storage.home), "DATABASE_URL": url, "M3W_API_KEY": "secret-key-1", "PATH": ""}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, program, str(port), str(workers)], stderr=log, env=env)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_until_up(base, process)
            for number in range(20):
                answer = httpx.post(
                    f"{base}/v1/sessions?key=secret-key-1",
                    json=SESSION | {"sessionId": f"s-{number}"},
                    headers={"Authorization": "Bearer secret-key-1"},
                )
                assert answer.status_code == 200
            assert httpx.post(f"{base}/v1/sessions", headers={"X-API-Key": "secret-key-2"}).status_code == 401
            assert "\nsessions_ingested_total 20.0\n" in httpx.get(f"{base}/metrics").text
        finally:
            process.terminate()
            assert process.wait(30) in {0, -15}
    lines = (tmp_path / "log").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    access = [event for event in events if event.get("path") == "/v1/sessions"]
    assert len(access) == 21
    assert access[0].keys() >= {"method", "path", "status", "duration_ms", "request_id", "level", "timestamp"}
    assert re.fullmatch(r"POST /v1/sessions - 200 \(\d+ms\)", access[0]["event"])
    assert [event["level"] for event in access].count("warning") == 1
    assert "secret-key" not in "".join(lines)
    assert "/health" not in "".join(lines)
    assert list(storage.journal_dir.iterdir()) == []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait_until_up(base: str, process: "subprocess.Popen[bytes]") -> None:
    while True:
        assert process.poll() is None
        try:
            if httpx.get(f"{base}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
