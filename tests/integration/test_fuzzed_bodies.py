"""Thousands of broken bodies: each is refused in order or kept; none stops the follower, the sealer or a build."""

import json
import time

import httpx

from ingest.recovery import drain
from tests.integration.endpoint import serving
from tests.payloads import cases
from tests.payloads.mutations import mutated
from warehouse import building
from warehouse.datasets import CORE_SESSIONS, CORE_SESSIONS_QUARANTINE, RAW_SESSIONS
from warehouse.derivations import SESSIONS
from warehouse.settings import StorageSettings
from warehouse.store import Store, open_store

BODIES = 2_000
CORPUS = cases("sessions_valid") * 8 + cases("sessions_invalid")
HANG_S = 5.0
JSON = {"Content-Type": "application/json"}


def test_mutated_bodies(storage: StorageSettings) -> None:
    kept: list[bytes] = []
    with serving(storage) as client, open_store(storage, migrate=False) as store:
        for number, body in enumerate(mutated(CORPUS, BODIES, seed=1)):
            answer = client.post("/v1/sessions", content=body, headers=JSON, timeout=HANG_S)
            assert answer.status_code in {200, 400, 413}, (number, body[:500], answer.text)
            if answer.status_code == 200:
                kept.append(body)
            else:
                assert answer.json()["error"]["code"] in {"INVALID_SCHEMA", "PAYLOAD_TOO_LARGE"}
        check(client, store, kept)


def test_mutated_batches(storage: StorageSettings) -> None:
    bodies = [body.replace(b"\n", b" ") for body in mutated(CORPUS, BODIES, seed=2)]
    kept = 0
    with serving(storage) as client, open_store(storage, migrate=False) as store:
        for first in range(0, BODIES, 50):
            lines = b"\n".join(bodies[first : first + 50])
            answer = client.post(
                "/v1/sessions/batch", content=lines, headers={"Content-Type": "application/x-ndjson"}, timeout=HANG_S
            )
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert told["accepted"] + len(told["rejected"]) == sum(bool(line.strip()) for line in lines.split(b"\n"))
            kept += told["accepted"]
            array = b"[" + b",".join(bodies[first : first + 10]) + b"]"
            refused = client.post("/v1/sessions/batch", content=array, headers=JSON, timeout=HANG_S)
            assert refused.status_code in {200, 400}, refused.text
            kept += refused.json().get("accepted", 0)
        assert len(landed(client, store)) == kept > 0


def check(client: httpx.Client, store: Store, kept: list[bytes]) -> None:
    """What was accepted is in raw as it was sent, in Postgres or quarantined with a reason; nothing else is."""
    assert len(kept) > BODIES // 20
    raw = landed(client, store)
    assert sorted(raw) == sorted(body.strip(b" \t\r\n").decode() for body in kept)
    with store.database.connect() as connection:
        reasons = dict(connection.execute("SELECT ingest_id::text, reason FROM quarantine").fetchall())
        assert all(reasons.values())
        sessions = connection.execute("SELECT count(*) FROM sessions").fetchone()
    built = building.build(store, SESSIONS, building.stale_days(store, SESSIONS))
    built_rows = sum(built.rows[CORE_SESSIONS.name].values())
    refused = store.lake.scan(RAW_SESSIONS).collect()["refused"].drop_nulls()
    assert len(refused) == len(reasons)
    assert sessions is not None
    assert sessions[0] == built_rows
    assert sum(built.rows[CORE_SESSIONS_QUARANTINE.name].values()) == len(reasons)


def landed(client: httpx.Client, store: Store) -> list[str]:
    """Wait until all is followed and sealed; return the payloads in raw."""
    drain(store.settings, store.database, store.lake, timeout_s=60)
    deadline = time.monotonic() + 10
    while client.get("/health").json() != {"status": "healthy"}:
        assert time.monotonic() < deadline, client.get("/health").text
        time.sleep(0.05)
    payloads = store.lake.scan(RAW_SESSIONS).select("payload").collect()["payload"].to_list()
    for payload in payloads:
        json.loads(payload)
    return payloads
