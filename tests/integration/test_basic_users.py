"""HTTP Basic: users of the table and of the secrets file, verified beside the event loop, remembered for a minute."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.testing import TestClient

from ingest import basic
from ingest.basic import BasicRequired, Users, basic_user
from ingest.error_answers import HANDLERS
from ingest.errors import DatabaseError, Overloaded
from warehouse.access import users
from warehouse.access.users import HASHER, UserRecord
from warehouse.postgres import Database
from warehouse.settings import SettingsError


@get("/who", guards=[basic_user], sync_to_thread=False)
def who(request: Request[Any, UserRecord, State]) -> dict[str, str | None]:
    return {"name": request.auth.name, "tenant": request.auth.tenant, "time_zone": request.auth.time_zone}


@asynccontextmanager
async def closing(app: Litestar) -> AsyncIterator[None]:
    yield
    app.state.users.close()


def secrets_file(folder: Path, *entries: tuple[str, str]) -> Path:
    path = folder / "secrets.json"
    named = [{"user": user, "password": password} for user, password in entries]
    path.write_text(json.dumps({"users": named, "tvdb_api_key": "k"}))
    return path


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    with database.connect() as connection:
        users.add_user(connection, name="alice", password="päss:wörd", tenant="acme", time_zone="Asia/Tokyo")
        users.add_user(connection, name="both", password="of the table", tenant="acme")
    secrets = secrets_file(tmp_path, ("bob", "clear"), ("carol", HASHER.hash("hashed")), ("both", "of the file"))
    known = Users(users.users_of(secrets))
    known.load(database)
    app = Litestar(
        [who], state=State({"users": known}), lifespan=[closing], exception_handlers={**HANDLERS, **basic.HANDLERS}
    )
    with TestClient(app) as opened:
        yield opened


def header(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_users_of_table_and_file(client: TestClient[Litestar]) -> None:
    for _ in range(2):
        answer = client.get("/who", headers=header("alice", "päss:wörd"))
        assert answer.json() == {"name": "alice", "tenant": "acme", "time_zone": "Asia/Tokyo"}
    assert client.get("/who", headers=header("bob", "clear")).json()["tenant"] == "default"
    assert client.get("/who", headers=header("carol", "hashed")).status_code == 200
    assert client.get("/who", headers=header("both", "of the table")).json()["tenant"] == "acme"
    assert client.get("/who", headers=header("both", "of the file")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"alice").decode()},
        {"Authorization": "Bearer dev-key"},
        header("alice", "wrong"),
        header("alice", ""),
        header("nobody", "päss:wörd"),
        header("", ""),
    ],
    ids=str,
)
def test_anybody_else_is_refused(client: TestClient[Litestar], headers: dict[str, str]) -> None:
    answer = client.get("/who", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Basic"
    assert answer.json() == {"message": "Unauthorized"}


@pytest.fixture
def known(database: Database, connection: psycopg.Connection) -> Iterator[Users]:
    users.add_user(connection, name="alice", password="one", tenant="acme")
    opened = Users({})
    opened.load(database)
    yield opened
    opened.close()


def test_a_changed_password_and_a_removed_user_are_not_remembered(
    known: Users, database: Database, connection: psycopg.Connection
) -> None:
    async def accepted(password: str) -> bool:
        try:
            await known.verify("alice", password)
        except BasicRequired:
            return False
        return True

    async def run() -> None:
        assert await accepted("one")
        users.set_password(connection, "alice", "two")
        known.load(database)
        assert [await accepted("one"), await accepted("two")] == [False, True]
        users.remove_user(connection, "alice")
        known.load(database)
        assert not await accepted("two")

    asyncio.run(run())


def test_a_password_is_verified_once_and_beside_the_loop(known: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    original = basic._matches

    def counting(hashed: str, password: str) -> bool:
        verified.append(threading.current_thread().name)
        return original(hashed, password)

    monkeypatch.setattr(basic, "_matches", counting)

    async def run() -> None:
        await asyncio.gather(*(known.verify("alice", "one") for _ in range(50)))
        await known.verify("alice", "one")
        assert len(verified) == 1
        assert verified[0].startswith("passwords")
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + basic.REMEMBERED_S)
        await known.verify("alice", "one")
        assert len(verified) == 2
        for name in ("alice", "nobody"):
            for _ in range(2):
                with pytest.raises(BasicRequired):
                    await known.verify(name, "wrong")
        assert len(verified) == 6

    asyncio.run(run())


def test_what_is_remembered_and_what_waits_is_bounded(known: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basic, "MAX_REMEMBERED", 2)
    for number in range(5):
        known._remember(bytes([number]))
    assert list(known._remembered) == [b"\x03", b"\x04"]
    monkeypatch.setattr(basic, "MAX_WAITING", 3)

    async def run() -> list[object]:
        return list(await asyncio.gather(*(known.verify("alice", str(n)) for n in range(8)), return_exceptions=True))

    kinds = [type(outcome) for outcome in asyncio.run(run())]
    assert (kinds.count(BasicRequired), kinds.count(Overloaded)) == (3, 5)


def test_before_the_users_are_known_only_those_of_the_file_pass(tmp_path: Path) -> None:
    known = Users(users.users_of(secrets_file(tmp_path, ("bob", "clear"))))

    async def run() -> None:
        assert (await known.verify("bob", "clear")).name == "bob"
        with pytest.raises(DatabaseError):
            await known.verify("alice", "one")

    asyncio.run(run())
    known.close()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"users": [{"user": "bob"}]}',
        '{"users": {"bob": "pw-4711"}}',
        '{"users": [{"user": "b", "password": "$argon2id$pw-4711"}]}',
    ],
)
def test_a_secrets_file_that_cannot_be_used_shows_nothing_of_itself(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(SettingsError, match="PLAYHEAD_SECRETS") as failure:
        users.users_of(tmp_path / "secrets.json")
    assert "4711" not in str(failure.value)
    with pytest.raises(SettingsError, match="cannot be read"):
        users.users_of(tmp_path / "none.json")


def test_users_are_changed_and_kept_as_argon2id(connection: psycopg.Connection) -> None:
    assert users.add_user(connection, name="alice", password="one-4711", tenant="acme", language="ja")
    assert not users.add_user(connection, name="alice", password="two", tenant="acme")
    stored = connection.execute("SELECT password_hash, users::text FROM users").fetchone()
    assert stored is not None
    assert stored[0].startswith("$argon2id$")
    assert "one-4711" not in stored[1]
    assert users.set_user(connection, "alice", {"time_zone": "Asia/Tokyo", "language": None})
    [alice] = users.list_users(connection)
    assert (alice.tenant, alice.time_zone, alice.language) == ("acme", "Asia/Tokyo", None)
    assert not users.set_user(connection, "bob", {"language": "ja"})
    assert not users.set_password(connection, "bob", "one")
    assert not users.remove_user(connection, "bob")
    with pytest.raises(ValueError, match="password_hash"):
        users.set_user(connection, "alice", {"password_hash": "x"})
