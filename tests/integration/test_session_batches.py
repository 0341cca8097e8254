"""`POST /v1/sessions/batch` over HTTP: good lines kept, each refusal by its position, bodies bounded."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import zstandard

from ingest.recovery import drain
from ingest.routes import batches
from tests.integration.endpoint import serving
from tests.payloads import cases
from warehouse.datasets import RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.settings import StorageSettings

NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}


def session(name: str | int, **fields: Any) -> dict[str, Any]:
    return {"sessionId": name, "timestamp": 1_771_065_045_000} | fields


def ndjson(*sessions: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in sessions)


@pytest.fixture
def client(storage: StorageSettings) -> Iterator[httpx.Client]:
    with serving(storage) as opened:
        yield opened


def send(client: httpx.Client, content: bytes, **headers: str) -> httpx.Response:
    return client.post("/v1/sessions/batch", content=content, headers=NDJSON | headers)


def test_both_shapes_of_a_body(client: httpx.Client, storage: StorageSettings, database: Database, lake: Lake) -> None:
    lines = [case.body.strip() for case in cases("sessions_valid") if b"\n" not in case.body.strip()]
    repeats = send(client, b"\n".join(lines) + b"\r\n\n").json().pop("duplicates")
    answer = client.post("/v1/sessions/batch", content=b" [" + b",".join(lines) + b"]", headers=JSON)
    assert answer.json() == {"accepted": len(lines), "duplicates": repeats, "rejected": []}
    drain(storage, database, lake, timeout_s=30)
    raw = lake.scan(RAW_SESSIONS).collect()
    assert sorted(payload.strip() for payload in raw["payload"]) == sorted(line.decode() for line in lines * 2)
    with database.connect() as connection:
        stored = connection.execute("SELECT count(*) FROM sessions").fetchone()
    assert stored == (len(lines) - repeats,)


def test_good_lines_are_kept(client: httpx.Client, storage: StorageSettings, database: Database, lake: Lake) -> None:
    refused = [case for case in cases("sessions_invalid") if case.body.strip() and b"\n" not in case.body]
    lines = [line for n, case in enumerate(refused) for line in (case.body, ndjson(session(f"good-{n}")))]
    answer = send(client, b"\n".join(lines)).json()
    assert (answer["accepted"], answer["duplicates"]) == (len(refused), 0)
    assert [one["index"] for one in answer["rejected"]] == list(range(0, len(lines), 2))
    for one, case in zip(answer["rejected"], refused, strict=True):
        assert one["code"] == "INVALID_SCHEMA"
        assert case.message in one["message"], case.name
    drain(storage, database, lake, timeout_s=30)
    assert lake.scan(RAW_SESSIONS).collect().height == len(refused)


def test_the_newest_repeat_wins(client: httpx.Client, storage: StorageSettings, database: Database, lake: Lake) -> None:
    start = 1_771_065_045_000
    sent = [
        session("s", rebufferTimeMs=2, timestamp=start + 2),
        session("s", rebufferTimeMs=1, timestamp=start + 1),
        session(1, rebufferTimeMs=3),
        session("1", rebufferTimeMs=4),
        session(1, rebufferTimeMs=5, timestamp=start + 1),
    ]
    assert send(client, ndjson(*sent)).json() == {"accepted": 5, "duplicates": 1, "rejected": []}
    drain(storage, database, lake, timeout_s=30)
    with database.connect() as connection:
        stored = connection.execute("SELECT rebuffer_time_ms FROM sessions ORDER BY 1").fetchall()
    assert stored == [(2,), (3,), (4,), (5,)]
    assert lake.scan(RAW_SESSIONS).collect().height == 5


def test_a_line_over_the_limit(client: httpx.Client) -> None:
    exact = ndjson(session("exact")).ljust(1 << 20)
    answer = send(
        client, b"\n".join([exact, ndjson(session("long")).ljust((1 << 20) + 1), ndjson(session("s"))])
    ).json()
    assert answer["accepted"] == 2
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [(1, "PAYLOAD_TOO_LARGE")]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_compressed_bodies_and_their_bound(client: httpx.Client, encoding: str) -> None:
    compress = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}[encoding]
    lines = ndjson(*(session(f"s-{n}") for n in range(5_000)))
    header = {"Content-Encoding": encoding}
    assert send(client, compress(lines), **header).json()["accepted"] == 5_000
    bomb = lines + b"\n" + b" " * (batches.BODY_LIMIT - len(lines))
    answer = send(client, compress(bomb), **header)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert send(client, lines, **header).status_code == 400


def test_too_many_bytes_or_lines(client: httpx.Client) -> None:
    for body in (b" " * (batches.BODY_LIMIT + 1), b"1\n" * 250_000):
        answer = send(client, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", [b"", b" \n\n", b"{}", b"[1", b'{"sessionId":"s"}', b"[" * 5_000, b"\xff", b"[1]x"])
def test_no_array(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/sessions/batch", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_SCHEMA")


def test_what_holds_no_session(client: httpx.Client) -> None:
    assert send(client, b"\n \r\n").status_code == 400
    assert client.post("/v1/sessions/batch", content=b"[]", headers=JSON).json()["accepted"] == 0
    assert [one["index"] for one in send(client, b"[]\n{}\nx").json()["rejected"]] == [0, 1, 2]


def test_media_types_and_keys(client: httpx.Client) -> None:
    assert send(client, b"{}", **{"Content-Type": "text/plain"}).status_code == 415
    assert send(client, b"{}", **{"Content-Encoding": "br"}).status_code == 415
    assert send(client, b"{}", **{"X-API-Key": "wrong"}).status_code == 401


def test_the_examples_of_the_document(client: httpx.Client) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/sessions/batch"]["post"]
    for media_type, content in operation["requestBody"]["content"].items():
        value = content["examples"]["two sessions"]["value"]
        body = value if isinstance(value, str) else json.dumps(value)
        answer = client.post("/v1/sessions/batch", content=body, headers={"Content-Type": media_type})
        assert answer.json() == {"accepted": 2, "duplicates": 0, "rejected": []}
