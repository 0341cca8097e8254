"""`playhead keys` and `playhead users`, as they are typed."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner, Result

from playhead.cli import main
from tests.integration.commands import environment
from warehouse.access.keys import digest, load_keys
from warehouse.access.users import HASHER
from warehouse.settings import StorageSettings
from warehouse.watches.goal_setting import goals_of


@pytest.fixture
def run(storage: StorageSettings, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setattr("ingest.logs.configure", lambda _: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return Run(environment(storage))


class Run:
    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ

    def __call__(self, *arguments: str, given: str | None = None, code: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments, input=given, env=self._environ)
        assert result.exit_code == code, result.output
        return result


def test_a_key_is_made_as_asked(run: Run, connection: psycopg.Connection) -> None:
    made = run(
        "keys", "create", "--tenant", "acme", "--name", "tv", "--scope", "land", "--scope", "read", "--expires", "90d"
    )
    key = made.stdout.strip()
    record = load_keys(connection)[digest(key)]
    assert (record.tenant, record.scopes, record.quota) == ("acme", {"land", "read"}, None)
    assert record.expires_at is not None
    assert abs(record.expires_at - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)
    run("keys", "create", "--tenant", "acme", "--name", "ci", "--quota", "12", "--expires", "2099-01-01T00:00:00Z")
    run("keys", "create", "--tenant", "acme", "--name", "bulk", "--quota", "unlimited")
    run("keys", "quota", "acme", "900")
    listed = run("keys", "list", "--json")
    assert key.split("_", 2)[2] not in listed.output
    found = {entry["name"]: entry for entry in json.loads(listed.stdout)}
    assert [found[name]["quota"] for name in ("tv", "ci", "bulk")] == [None, 12, "unlimited"]
    assert found["ci"]["scopes"] == ["land"]
    assert found["ci"]["expires_at"] == "2099-01-01T00:00:00+00:00"
    assert {entry["tenant_quota"] for entry in found.values()} == {900}
    shown = run("keys", "list").stdout
    assert key.split("_")[1] in shown
    assert key.split("_", 2)[2] not in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quota", "0"], "whole number above 0"),
        (["--quota", "-1"], "whole number above 0"),
        (["--quota", "many"], "unlimited"),
        (["--expires", "tomorrow"], "ISO time"),
        (["--expires", "2001-01-01"], "is over"),
        (["--scope", "admin"], "admin"),
        (["--name", "a\nb"], "printable"),
    ],
)
def test_what_a_key_cannot_be(run: Run, connection: psycopg.Connection, arguments: list[str], message: str) -> None:
    assert message in run("keys", "create", "--tenant", "acme", "--name", "n", *arguments, code=2).output
    assert load_keys(connection) == {}


def test_rotating_and_revoking(run: Run, connection: psycopg.Connection) -> None:
    old = run("keys", "create", "--tenant", "acme", "--name", "tv").stdout.strip()
    new = run("keys", "rotate", old.split("_")[1], "--grace", "24h").stdout.strip()
    assert load_keys(connection).keys() == {digest(old), digest(new)}
    run("keys", "revoke", old.split("_")[1])
    assert load_keys(connection).keys() == {digest(new)}
    for command in ("rotate", "revoke"):
        assert "there is no" in run("keys", command, old.split("_")[1], code=1).output
    assert "not a duration" in run("keys", "rotate", new.split("_")[1], "--grace", "1y", code=2).output


def test_users(run: Run, connection: psycopg.Connection) -> None:
    asked = run("users", "add", "alice", "--tenant", "acme", given="pw-one\npw-one\n")
    assert "pw-one" not in asked.output
    run("users", "add", "bob", "--language", "pt-BR", "--password-stdin", given="päss word\n")
    run("users", "set", "alice", "--time-zone", "Asia/Tokyo", "--language", "ja")
    run("users", "set", "alice", "--language", "")
    run("users", "passwd", "alice", "--password-stdin", given="pw-two")
    hashes = dict(connection.execute("SELECT name, password_hash FROM users").fetchall())
    assert HASHER.verify(hashes["alice"], "pw-two")
    assert HASHER.verify(hashes["bob"], "päss word")
    listed = json.loads(run("users", "list", "--json").stdout)
    assert [(user["name"], user["tenant"], user["time_zone"], user["language"]) for user in listed] == [
        ("alice", "acme", "Asia/Tokyo", None),
        ("bob", "default", None, "pt-BR"),
    ]
    run("users", "set", "alice", "--goal", "day=30", "--goal", "week:ja=300")
    run("users", "set", "alice", "--goal", "day=45")
    goals = goals_of(connection, "acme", "alice")
    assert {name: [(goal.period, goal.minutes) for goal in given] for name, given in goals.items()} == {
        None: [("day", 45)],
        "ja": [("week", 300)],
    }
    run("users", "set", "alice", "--goal", "week:ja=0")
    assert list(goals_of(connection, "acme", "alice")) == [None]
    run("users", "remove", "bob")
    assert "bob" not in run("users", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["add", "a:b", "--password-stdin"], 2, "colon"),
        (["add", "a", "--time-zone", "Mars/Base", "--password-stdin"], 2, "time zone"),
        (["add", "a", "--language", "j", "--password-stdin"], 2, "language tag"),
        (["add", "a", "--password", "secret"], 2, "No such option"),
        (["set", "a"], 2, "nothing to set"),
        (["set", "a", "--language", "ja"], 1, "there is no user 'a'"),
        (["set", "a", "--goal", "day=30"], 1, "there is no user 'a'"),
        (["set", "a", "--goal", "month=30"], 2, "is not a goal"),
        (["passwd", "a", "--password-stdin"], 1, "there is no user 'a'"),
        (["remove", "a"], 1, "there is no user 'a'"),
    ],
)
def test_what_a_user_cannot_be(run: Run, arguments: list[str], code: int, message: str) -> None:
    assert message in run("users", *arguments, given="pw\n", code=code).output


def test_an_empty_password_is_none(run: Run) -> None:
    assert "empty" in run("users", "add", "a", "--password-stdin", given="\n", code=1).output
    run("users", "add", "a", "--password-stdin", given="pw\n")
    assert "already" in run("users", "add", "a", "--password-stdin", given="pw\n", code=1).output
