"""The outbox reaches the lake once: repeated, interrupted before the deletion, and by several at a time."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.integration.tracker import NOW, files
from warehouse.datasets.watches import RAW_WATCHES
from warehouse.lake import Lake
from warehouse.landing import outbox
from warehouse.postgres import Database
from warehouse.watches import watching

Land = Callable[[int], None]


@pytest.fixture
def land(connection: psycopg.Connection) -> Land:
    def one(number: int) -> None:
        watching.land(
            connection,
            tenant="t",
            user_id="u",
            route="sync",
            body=json.dumps(files("f", str(number))).encode(),
            now=NOW,
            default_zone="UTC",
        )

    return one


def sealed(lake: Lake) -> list[str]:
    payloads = lake.scan(RAW_WATCHES).collect()["payload"].to_list()
    return sorted(json.loads(payload)["episodes"][0]["file_name"] for payload in payloads)


def test_a_crash_between_append_and_deletion_repeats_nothing(
    connection: psycopg.Connection, lake: Lake, land: Land
) -> None:
    land(1)
    connection.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'crashed'; END $$;"
        "CREATE TRIGGER crash BEFORE DELETE ON outbox EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="crashed"):
        outbox.seal(connection, lake)
    land(2)
    connection.execute("DROP TRIGGER crash ON outbox")
    assert sealed(lake) == ["1"]
    assert outbox.seal(connection, lake) == 2
    assert sealed(lake) == ["1", "2"]
    assert outbox.seal(connection, lake) == 0


def test_several_may_seal_while_more_lands(database: Database, lake: Lake, land: Land) -> None:
    def seal(_: int) -> int:
        with database.connect() as connection:
            return outbox.seal(connection, lake)

    with ThreadPoolExecutor(3) as pool:
        counts = pool.map(seal, range(6))
        for number in range(8):
            land(number)
        done = sum(counts)
    assert done + seal(0) == 8
    assert sealed(lake) == [str(number) for number in range(8)]


def test_large_rows_go_one_by_one(
    connection: psycopg.Connection, lake: Lake, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "AT_ONCE_BYTES", 1)
    for number in range(3):
        land(number)
    assert outbox.seal(connection, lake) == 3
    assert sealed(lake) == ["0", "1", "2"]
