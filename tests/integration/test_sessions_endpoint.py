"""`POST /v1/sessions` over HTTP: what is stored, what is refused, one row a session."""

import gzip
import json
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import polars as pl
import psycopg
import pytest
import zstandard

from ingest.recovery import drain
from tests.integration.endpoint import serving
from tests.payloads import cases
from warehouse.access.keys import create_key, revoke_key
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

SDK: dict[str, Any] = {
    "sessionId": "s-1",
    "sessionStartDateIso": "2026-02-14T10:30:00Z",
    "sessionDurationMs": 45_000,
    "timestamp": 1_771_065_045_000,
}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(storage: StorageSettings) -> Iterator[httpx.Client]:
    with serving(storage) as opened:
        yield opened


class Stored:
    """What Postgres and the raw table hold, once everything has been followed and sealed."""

    def __init__(self, storage: StorageSettings, database: Database, lake: Lake) -> None:
        self._parts = (storage, database, lake)

    def __call__(self) -> tuple[list[tuple[Any, ...]], pl.DataFrame]:
        storage, database, lake = self._parts
        drain(storage, database, lake, timeout_s=30)
        with database.connect() as connection:
            rows = connection.execute(
                "SELECT session_id, session_duration_ms, rebuffer_time_ms, payload FROM sessions ORDER BY timestamp"
            ).fetchall()
        return rows, lake.scan(RAW_SESSIONS).collect()


@pytest.fixture
def stored(storage: StorageSettings, database: Database, lake: Lake) -> Stored:
    return Stored(storage, database, lake)


def send(client: httpx.Client, body: dict[str, Any] | bytes, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/v1/sessions", content=content, headers=JSON | headers)


def refused(response: httpx.Response, status: int, code: str) -> str:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert error["code"] == code
    assert abs(error["timestamp"] / 1000 - 1.75e9) < 1e9
    return str(error["message"])


def test_every_valid_body_is_stored(client: httpx.Client, stored: Stored) -> None:
    sent = cases("sessions_valid")
    for case in sent:
        answer = send(client, case.body)
        assert answer.status_code == 200, case.name
        assert answer.json() == {"status": "success", "sessionId": json.loads(case.body)["sessionId"]}
    rows, raw = stored()
    assert sorted(raw["payload"]) == sorted(case.body.decode().strip() for case in sent)
    assert raw["refused"].null_count() == len(sent)
    assert len(rows) == raw.select("session_id", "identity_at").n_unique()


def test_nothing_of_a_refused_body_is_stored(client: httpx.Client, stored: Stored) -> None:
    for case in cases("sessions_invalid"):
        message = refused(send(client, case.body), 400, "INVALID_SCHEMA")
        assert case.message in message, case.name
    rows, raw = stored()
    assert (rows, raw.height) == ([], 0)


def test_200_concurrent_sends_of_one_session(client: httpx.Client, stored: Stored) -> None:
    bodies = [SDK | {"timestamp": SDK["timestamp"] + n, "rebufferTimeMs": n} for n in range(200)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda body: send(client, body).status_code, bodies))
    assert answers == [200] * 200
    rows, raw = stored()
    assert [row[:3] for row in rows] == [("s-1", 45_000, 199)]
    assert raw.height == 200
    assert raw["started_at"].n_unique() == 1


def test_one_row_whatever_the_start_says(client: httpx.Client, stored: Stored) -> None:
    send(client, SDK)
    stored()
    send(client, SDK | {"sessionStartDateIso": "2026-05-01T00:00:00Z", "timestamp": SDK["timestamp"] + 1})
    rows, raw = stored()
    assert len(rows) == 1
    assert rows[0][3]["sessionStartDateIso"] == "2026-05-01T00:00:00Z"
    assert raw["day"].cast(pl.String).to_list() == ["2026-02-14"] * 2


def test_the_same_send_in_two_shapes_is_one_session(client: httpx.Client, stored: Stored) -> None:
    send(client, SDK)
    send(client, {"sessionId": "s-1", "timestamp": SDK["timestamp"], "rebufferTimeMs": 7})
    rows, _ = stored()
    assert [row[:3] for row in rows] == [("s-1", None, 7)]


def test_a_newer_legacy_resend_replaces(client: httpx.Client, stored: Stored) -> None:
    send(client, {"sessionId": "s", "timestamp": 1_771_065_000_000, "rebufferTimeMs": 1})
    send(client, {"sessionId": "s", "timestamp": 1_773_065_000_000, "rebufferTimeMs": 2})
    rows, raw = stored()
    assert [row[2] for row in rows] == [2]
    assert raw["day"].n_unique() == 1


def test_an_older_send_that_arrives_later_changes_nothing(client: httpx.Client, stored: Stored) -> None:
    send(client, {"sessionId": "s", "timestamp": 1_773_065_000_000, "rebufferTimeMs": 2})
    stored()
    send(client, {"sessionId": "s", "timestamp": 1_771_065_000_000, "rebufferTimeMs": 1})
    rows, raw = stored()
    assert [row[2] for row in rows] == [2]
    assert raw.height == 2


def test_two_devices_that_count_from_one_stay_two(client: httpx.Client, stored: Stored) -> None:
    for start in ("2026-02-14T10:30:00Z", "2026-02-14T10:30:01Z", "2026-02-14T10:30:01Z"):
        assert send(client, SDK | {"sessionId": 1, "sessionStartDateIso": start}).json()["sessionId"] == 1
    assert send(client, SDK | {"sessionId": "1"}).json()["sessionId"] == "1"
    rows, _ = stored()
    assert [row[0] for row in rows] == ["1"] * 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "dev-keyé".encode().decode("latin-1")},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic ZGV2LWtleTo="},
        {"Authorization": "dev-key"},
        {"X-API-Key": "wrong", "Authorization": "Bearer dev-key"},
    ],
    ids=str,
)
def test_without_a_valid_key(client: httpx.Client, headers: dict[str, str]) -> None:
    encoded = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    answer = httpx.post(client.base_url.join("/v1/sessions"), json=SDK, headers=encoded)
    assert refused(answer, 401, "INVALID_API_KEY") == "Invalid or missing API Key"


def test_both_headers_carry_the_key(client: httpx.Client) -> None:
    for headers in ({"X-API-Key": "dev-key"}, {"Authorization": "Bearer dev-key"}, {"Authorization": "bearer dev-key"}):
        answer = httpx.post(client.base_url.join("/v1/sessions"), json=SDK, headers=headers)
        assert answer.status_code == 200


def test_keys_of_tenants(storage: StorageSettings, connection: psycopg.Connection, stored: Stored) -> None:
    own = create_key(connection, tenant="acme", name="app", scopes=["land"], quota=None)
    reader = create_key(connection, tenant="acme", name="report", scopes=["read"], quota=None)
    gone = create_key(connection, tenant="acme", name="old", scopes=["land"], quota=None)
    revoke_key(connection, gone.split("_")[1])
    with serving(storage) as client:
        assert send(client, SDK, **{"X-API-Key": own}).status_code == 200
        assert "land" in refused(send(client, SDK, **{"X-API-Key": reader}), 403, "FORBIDDEN")
        refused(send(client, SDK, **{"X-API-Key": gone}), 401, "INVALID_API_KEY")
    _, raw = stored()
    assert raw["tenant"].to_list() == ["acme"]


@pytest.mark.parametrize("size", [1_048_576, 1_048_577])
@pytest.mark.parametrize("chunked", [True, False])
def test_body_limit(client: httpx.Client, stored: Stored, size: int, chunked: bool) -> None:
    body = json.dumps(SDK).encode().ljust(size)
    content = (body[at : at + 65_536] for at in range(0, size, 65_536)) if chunked else body
    answer = client.post("/v1/sessions", content=content, headers=JSON)
    if size > 1_048_576:
        refused(answer, 413, "PAYLOAD_TOO_LARGE")
        assert stored()[0] == []
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=UTF-8", 'Application/JSON; charset="utf-8"']
)
def test_accepted_media_types(client: httpx.Client, content_type: str) -> None:
    assert send(client, SDK, **{"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Encoding": "br"},
        {"Content-Encoding": "gzip, gzip"},
    ],
    ids=str,
)
def test_refused_media_types(client: httpx.Client, headers: dict[str, str]) -> None:
    refused(send(client, SDK, **headers), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_compressed_bodies(client: httpx.Client, stored: Stored) -> None:
    plain = json.dumps(SDK).encode()
    half = len(plain) // 2
    zstd = zstandard.ZstdCompressor()
    for encoding, body in [
        ("gzip", gzip.compress(plain)),
        ("gzip", gzip.compress(plain[:half]) + gzip.compress(plain[half:])),
        ("zstd", zstd.compress(plain)),
        ("identity", plain),
    ]:
        assert send(client, body, **{"Content-Encoding": encoding}).status_code == 200
    _, raw = stored()
    assert raw["payload"].to_list() == [plain.decode()] * 4


def test_corrupt_and_inflating_bodies(client: httpx.Client, stored: Stored) -> None:
    plain = json.dumps(SDK).encode()
    bomb = json.dumps(SDK).encode() + b" " * (64 << 20)
    for encoding, compress in [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)]:
        headers = {"Content-Encoding": encoding}
        refused(send(client, compress(bomb), **headers), 413, "PAYLOAD_TOO_LARGE")
        refused(send(client, plain, **headers), 400, "INVALID_SCHEMA")
        refused(send(client, compress(plain)[:-9], **headers), 400, "INVALID_SCHEMA")
        refused(send(client, b"", **headers), 400, "INVALID_SCHEMA")
    refused(send(client, zlib.compress(plain), **{"Content-Encoding": "gzip"}), 400, "INVALID_SCHEMA")
    assert stored()[0] == []
