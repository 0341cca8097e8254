"""Keys over HTTP, as users run it: two workers, every route, nothing in the clear anywhere."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from ingest.app import create_app
from ingest.recovery import drain
from tests.integration.commands import environment, playhead
from tests.integration.endpoint import SETTINGS, serving
from tests.integration.served import served, workers_of
from warehouse.access.keys import create_key
from warehouse.lake import Lake
from warehouse.postgres import Database
from warehouse.postgres.embedded import running
from warehouse.settings import StorageSettings

OPEN = re.compile(r"/|/health(/live|/ready)?|/metrics|/docs(/.*)?|/redoc|/openapi\.json|/live\.html|/api/v1/health")
"""What the contract lists as open; every other route needs a credential."""

PUBLIC = re.compile(r"/api/v1/streams(/.*)?")
"""What tells of public streams without a credential, and refuses a wrong one."""

SESSION = {"sessionId": "s-1", "sessionStartDateIso": "2026-02-14T10:30:00Z", "sessionDurationMs": 45_000}
EFFECTIVE_S = 5.0


def headers_of(key: str) -> list[dict[str, str]]:
    return [{"X-API-Key": key}, {"Authorization": f"Bearer {key}"}]


@pytest.fixture
def two_workers(storage: StorageSettings, tmp_path: Path) -> Iterator[list[httpx.Client]]:
    with served(environment(storage), tmp_path / "log", workers=2) as base, workers_of(base, 2) as clients:
        yield clients


def test_every_route_but_the_open_ones_needs_a_credential(storage: StorageSettings) -> None:
    app = create_app(SETTINGS, storage)
    app.state.users.close()
    guarded = 0
    with serving(storage) as client:
        del client.headers["X-API-Key"]
        for route in app.routes:
            path = re.sub(r":\w+}", "}", route.path_format)
            if OPEN.fullmatch(path):
                continue
            if isinstance(route, WebSocketRoute):
                continue  # these close with a code of their own
            assert isinstance(route, HTTPRoute)
            none = [] if PUBLIC.fullmatch(path) else [{}]
            for method in route.methods - {"OPTIONS"}:
                for credentials in (*none, *headers_of("ph_0_wrong"), {"Authorization": "Basic YWxpY2U6cHc="}):
                    answer = client.request(method, re.sub("{.*?}", "x", path), headers=credentials)
                    assert answer.status_code == 401, (method, path, credentials)
                    assert answer.json().keys() <= {"error", "message", "success", "timestamp"}
                guarded += 1
    assert guarded >= 1


def eventually(holds: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < EFFECTIVE_S
        time.sleep(0.05)
    return time.monotonic() - began


def test_keys_come_and_go_in_every_worker(two_workers: list[httpx.Client], storage: StorageSettings) -> None:
    def answers(key: str) -> set[int]:
        sent = [
            client.post("/v1/sessions", json=SESSION, headers=head)
            for client in two_workers
            for head in headers_of(key)
        ]
        return {answer.status_code for answer in sent}

    printed = playhead(storage, "keys", "create", "--tenant", "acme", "--name", "tv", "--quota", "unlimited")
    old = printed.splitlines()[0]
    key_id = old.split("_")[1]
    eventually(lambda: answers(old) == {200})
    new = playhead(storage, "keys", "rotate", key_id, "--grace", "1h").splitlines()[0]
    eventually(lambda: answers(new) == {200})
    assert answers(old) == {200}
    playhead(storage, "keys", "revoke", key_id)
    eventually(lambda: answers(old) == {401})
    assert answers(new) == {200}
    listed = {key["id"]: key for key in json.loads(playhead(storage, "keys", "list", "--json"))}
    assert (listed[key_id]["state"], listed[new.split("_")[1]]["state"]) == ("revoked", "valid")
    eventually(lambda: json.loads(playhead(storage, "keys", "list", "--json"))[1]["last_used_at"] is not None)


def test_a_key_lands_in_its_own_tenant_only(
    storage: StorageSettings, database: Database, connection: psycopg.Connection, lake: Lake
) -> None:
    keys = {
        tenant: create_key(connection, tenant=tenant, name="k", scopes=["land"], quota=None)
        for tenant in ("acme", "globex")
    }
    with serving(storage) as client:
        for number, (tenant, key) in enumerate(keys.items()):
            body = SESSION | {"playTimeMs": number, "tenant": "default", "contentId": tenant}
            assert client.post("/v1/sessions?tenant=default", json=body, headers={"X-API-Key": key}).status_code == 200
        assert client.post("/v1/sessions", json=SESSION).status_code == 200
    drain(storage, database, lake, timeout_s=30)
    rows = connection.execute("SELECT tenant, content_id FROM sessions ORDER BY tenant").fetchall()
    assert rows == [("acme", "acme"), ("default", None), ("globex", "globex")]


def test_a_tenants_bound_holds_for_all_of_its_keys(storage: StorageSettings, connection: psycopg.Connection) -> None:
    keys = [
        create_key(connection, tenant="acme", name=name, scopes=["land"], quota=quota)
        for name, quota in (("a", None), ("b", 0), ("c", 500))
    ]
    playhead(storage, "keys", "quota", "acme", "7")
    with serving(storage) as client:
        sent = [client.post("/v1/sessions", json=SESSION, headers={"X-API-Key": key}) for key in keys * 5]
    assert [answer.status_code for answer in sent] == [200] * 7 + [429] * 8
    assert {answer.headers["X-RateLimit-Limit"] for answer in sent} == {"7"}


def test_no_key_or_password_in_the_clear(tmp_path: Path) -> None:
    """Keys, wrong keys and passwords are looked for in logs, in every file of the home and in dumped tables."""
    home = tmp_path / "home"
    storage = StorageSettings(home=home, lake_url=str(home / "lake"))
    secrets_file = tmp_path / "secrets.json"
    secrets_file.write_text(json.dumps({"users": [{"user": "bob", "password": "file-password-4711"}]}))
    with running(home) as url:
        named = StorageSettings(home=home, lake_url=storage.lake_url, database_url=url)
        key = playhead(named, "keys", "create", "--tenant", "acme", "--name", "tv").splitlines()[0]
        rotated = playhead(named, "keys", "rotate", key.split("_")[1]).splitlines()[0]
        _users(named, "add", "alice", "table-password-4711")
        _users(named, "passwd", "alice", "table-password-4712")
        env = environment(named) | {"M3W_API_KEY": "own-key-4711", "PLAYHEAD_SECRETS": str(secrets_file)}
        wrong = ["ph_123456789abc_wrong-key-4711", "wrong-key-4712"]
        with served(env | {"LOG_LEVEL": "DEBUG"}, tmp_path / "log") as base:
            for sent in (key, rotated, "own-key-4711", *wrong):
                for head in headers_of(sent):
                    status = httpx.post(f"{base}/v1/sessions?key={sent}", json=SESSION, headers=head).status_code
                    assert status == (401 if sent in wrong else 200)
                    httpx.post(f"{base}/v1/sessions", content=b"{", headers=head)
                    httpx.get(f"{base}/nowhere", headers=head)
            httpx.get(f"{base}/metrics", auth=("alice", "table-password-4712"))
            assert _held(tmp_path, _needles(key, rotated)) == {secrets_file: {b"-password-4711"}}
        with psycopg.connect(env["DATABASE_URL"]) as connection:
            for table in ("api_keys", "users", "rate_leases", "sessions", "quarantine"):
                dumped = "".join(row[0] for row in connection.execute(f"SELECT t::text FROM {table} t").fetchall())
                assert not [needle for needle in _needles(key, rotated) if needle.decode() in dumped]
    assert _held(tmp_path, _needles(key, rotated)) == {secrets_file: {b"-password-4711"}}


def _users(storage: StorageSettings, command: str, name: str, password: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "playhead", "users", command, name, "--password-stdin"],
        input=password,
        text=True,
        env=environment(storage),
        check=True,
        capture_output=True,
    )
    assert password not in done.stdout + done.stderr


def _needles(*keys: str) -> set[bytes]:
    secrets = {key.split("_", 2)[2].encode() for key in keys}
    return secrets | {b"own-key-4711", b"wrong-key-471", b"-password-4711", b"-password-4712"}


def _held(folder: Path, needles: set[bytes]) -> dict[Path, set[bytes]]:
    """Return the files that hold one of the needles, with what they hold."""
    held: dict[Path, set[bytes]] = {}
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            if path.is_file() and (found := {needle for needle in needles if needle in path.read_bytes()}):
                held[path] = found
    return held
