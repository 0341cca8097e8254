"""What the endpoint does, and says, while Postgres, the lake or the disk is away."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.faults import servers
from tests.faults.endpoint import Endpoint
from tests.faults.metering import gauges
from tests.integration.endpoint import serving
from tests.integration.tracker import files, tracking
from warehouse.lake import Lake
from warehouse.postgres import embedded
from warehouse.postgres.server import Server
from warehouse.settings import StorageSettings


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody watches: it stays stopped."""
    with embedded.running(tmp_path / "named"):
        pass  # made
    server = Server(tmp_path / "named")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def named(tmp_path: Path, server: Server) -> StorageSettings:
    """Settings that name the server's database."""
    home = tmp_path / "home"
    return StorageSettings(home=home, lake_url=str(home / "lake"), database_url=server.start(), pool_min=1)


def session(number: int) -> dict[str, object]:
    return {"sessionId": f"s-{number}", "sessionStartDateIso": "2026-02-14T10:30:00Z", "sessionDurationMs": 45_000}


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def reasons(client: httpx.Client) -> str:
    return "; ".join(client.get("/health").json().get("reasons", []))


def rows(storage: StorageSettings) -> int:
    assert storage.database_url is not None
    url = storage.database_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(url)) as connection:
        row = connection.execute("SELECT count(*) FROM sessions").fetchone()
    return int(row[0]) if row else 0


def test_postgres_stops_for_three_seconds(server: Server, named: StorageSettings) -> None:
    with serving(named) as client:
        for number in range(5):
            assert client.post("/v1/sessions", json=session(number)).status_code == 200
        until(lambda: rows(named) == 5)
        server.stop()
        for number in range(5, 25):
            assert client.post("/v1/sessions", json=session(number)).status_code == 200
        until(lambda: gauges(client)["landing_lag_seconds"] > 3)
        told = client.get("/health").json()
        assert told["status"] == "degraded"
        assert any("Postgres" in reason for reason in told["reasons"])
        assert gauges(client)["landing_backlog"] == 20
        assert client.get("/health/live").status_code == client.get("/health/ready").status_code == 200
        server.restart()
        until(lambda: gauges(client)["landing_backlog"] == 0)
        assert gauges(client)["landing_lag_seconds"] == 0
        until(lambda: client.get("/health").json() == {"status": "healthy"})
        assert rows(named) == 25


def test_it_starts_and_lands_before_a_named_postgres_does(server: Server, named: StorageSettings) -> None:
    server.stop()
    with serving(named) as client:
        assert client.post("/v1/sessions", json=session(1)).status_code == 200
        unknown = client.post("/v1/sessions", json=session(2), headers={"X-API-Key": "ph_made_elsewhere"})
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (503, "DATABASE_ERROR")
        assert client.get("/health/ready").status_code == 200
        until(lambda: "Postgres" in reasons(client))
        server.restart()
        until(lambda: client.get("/health").json() == {"status": "healthy"})
        until(lambda: client.post("/v1/sessions", headers={"X-API-Key": "ph_unknown"}).status_code == 401)
        assert rows(named) == 1


def test_a_full_disk_is_not_ready(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with serving(storage) as client:
        with monkeypatch.context() as patched:
            patched.setattr("ingest.journal._write", full)
            patched.setattr("ingest.landing.ROOM", 1 << 62)
            assert client.post("/v1/sessions", json=session(1)).status_code == 507
            assert client.get("/health").json() == {"status": "degraded", "reasons": ["the journal's disk is full"]}
            refused = client.get("/health/ready")
            assert (refused.status_code, refused.json()["error"]["code"]) == (507, "STORAGE_FULL")
            assert client.get("/health/live").status_code == 200
        # Nobody sends to what is not ready: room alone must make it ready again.
        assert client.get("/health/ready").status_code == 200
        assert client.get("/health").json() == {"status": "healthy"}


def test_a_lake_that_fails_is_told(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> bool:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with serving(storage) as client:
        with monkeypatch.context() as patched:
            patched.setattr(Lake, "append_once", away)
            assert client.post("/v1/sessions", json=session(1)).status_code == 200
            for folder in storage.journal_dir.iterdir():
                (folder / "seal.request").touch()
            until(lambda: "the lake" in reasons(client))
            assert client.get("/health/ready").status_code == 200
        until(lambda: client.get("/health").json() == {"status": "healthy"})


def test_a_backlog_over_the_bound_is_told(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.landing.Landing.full", property(lambda landing: landing.backlog > 3))
    assert storage.database_url is not None
    url = storage.database_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with serving(storage) as client:
        with psycopg.connect(url) as locking:
            locking.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
            statuses = [client.post("/v1/sessions", json=session(number)).status_code for number in range(6)]
            assert statuses == [200, 200, 200, 200, 503, 503]
            assert "too far behind" in reasons(client)
            assert client.get("/health/ready").json()["error"]["code"] == "OVERLOADED"
            until(lambda: "does not keep up" in reasons(client))
        until(lambda: client.get("/health").json() == {"status": "healthy"})
        assert client.post("/v1/sessions", json=session(5)).status_code == 200


def test_a_frozen_postgres_is_told_without_traffic(server: Server, named: StorageSettings) -> None:
    with serving(named) as client:
        with servers.frozen(server.home):
            until(lambda: "the database does not answer" in reasons(client))
            assert client.get("/health/ready").status_code == 200
        until(lambda: client.get("/health").json() == {"status": "healthy"})


def test_it_stops_although_postgres_is_frozen(server: Server, named: StorageSettings, tmp_path: Path) -> None:
    with Endpoint(named, tmp_path / "endpoint.log") as endpoint, servers.frozen(server.home):
        assert endpoint.client.post("/v1/sessions", json=session(1)).status_code == 200
        assert endpoint.stop(), "it does not stop"
    with serving(named):
        until(lambda: rows(named) == 1, 40)


def test_a_sync_is_refused_while_postgres_is_away_and_nothing_of_it_is_kept(
    server: Server, named: StorageSettings
) -> None:
    with tracking(named) as client:
        assert client.post("/sync", json=files("f", "1")).json() == {"episodes_added": 1}
        server.stop()
        refused = [client.post("/sync", json=files("f", "2")), client.get("/progress"), client.get("/shows")]
        for answer in refused:
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DATABASE_ERROR")
            assert int(answer.headers["Retry-After"]) > 0
        server.start()
        assert client.get("/progress").json()["total_episodes_watched"] == 1
        assert client.post("/sync", json=files("f", "2")).json() == {"episodes_added": 1}
