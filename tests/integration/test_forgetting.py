"""Forgetting: nothing of it anywhere afterwards, nothing of others lost, and nothing brings it back."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console
from sqlalchemy import URL

from playhead import governance
from tests.integration import governing
from tests.integration.landed import FIRST, body, land
from tests.integration.populated import build
from tests.integration.prepared import Prepared, prepared
from tests.integration.searching import places
from warehouse.datasets import CONTENT_DIMENSION, CORE_SESSIONS, OUT_QOE_DAILY, RAW_SESSIONS
from warehouse.landing.tombstones import Kind, Subject
from warehouse.store import Store

QUIET = Console(quiet=True)
NEXT = FIRST + timedelta(days=1)
FORGOTTEN_AT = datetime(2026, 3, 20, tzinfo=UTC)
WHO = "viewer-who-wants-to-be-forgotten"
WHICH = "session-that-must-go"
GONE = {"raw_sessions": 2, "rejects": 2, "damaged": 1}


def fill(store: Store) -> None:
    """24 sessions on two days: a named one, two of a viewer, and one that shares its numeric id."""
    sessions = [body(n, FIRST + timedelta(days=n % 2), userId=f"u{n % 3}") for n in range(20)]
    sessions += [body(50, NEXT, sessionId=WHICH), body(51, NEXT, sessionId=WHICH, timestamp=1_900_000_000_000)]
    sessions += [body(60, FIRST, userId=WHO), body(61, NEXT, userId=WHO, sessionId=17), body(62, NEXT, sessionId=17)]
    land(store, sessions)
    build(store)
    rejects = store.settings.home / "rejects" / "sessions-1.ndjson"
    rejects.parent.mkdir()
    bodies = (json.dumps({"sessionId": WHICH, "userId": WHO}), json.dumps({"sessionId": "other"}), f"{{ {WHICH} {WHO}")
    rejects.write_text("".join(json.dumps({"body": text}) + "\n" for text in bodies))
    damaged = store.settings.journal_dir / "worker-1.damaged"
    damaged.write_text(f"{WHICH} {WHO}")


@pytest.fixture(scope="module")
def home(server_url: URL, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with prepared(server_url, template, tmp_path_factory.mktemp("forgotten") / "home", fill) as made:
        yield made


@pytest.fixture
def filled(home: Prepared, tmp_path: Path) -> Iterator[Store]:
    with home.copied(tmp_path / "home", FORGOTTEN_AT) as store:
        yield store


def sessions_of(store: Store) -> dict[str, int]:
    core = store.lake.read(CORE_SESSIONS)
    with store.database.connect() as connection:
        row = connection.execute("SELECT count(*) FROM sessions").fetchone()
    out = store.lake.read(OUT_QOE_DAILY, lambda rows: rows.filter(pl.col("dimension") == CONTENT_DIMENSION))
    assert row is not None
    return {"core": core.height, "postgres": row[0], "out": out["sessions"].sum()}


@pytest.mark.parametrize(("kind", "name", "left"), [("session", WHICH, 23), ("user", WHO, 22)])
def test_nothing_is_left_and_nothing_comes_back(filled: Store, kind: Kind, name: str, left: int) -> None:
    assert len(places(filled, name)) >= 4
    governance.forget(QUIET, filled.settings, Subject(kind, "default", name))
    assert places(filled, name) == []
    assert sessions_of(filled) == {"core": left, "postgres": left, "out": left}
    [(told, counts, finished_at, text)] = erasures(filled)
    assert (told, finished_at) == (kind, FORGOTTEN_AT)
    assert name not in text
    assert {place: counts[place] for place in GONE} == GONE

    resent = {
        "session": [body(50, NEXT, sessionId=WHICH), body(50, NEXT + timedelta(days=9), sessionId=WHICH)],
        "user": [body(60, FIRST), body(61, NEXT, sessionId=17, userId=WHO), body(70, FIRST, userId=WHO)],
    }
    land(filled, resent[kind])
    build(filled)
    assert places(filled, name) == []
    assert sessions_of(filled) == {"core": left, "postgres": left, "out": left}
    assert filled.lake.read(CORE_SESSIONS)["session_id"].to_list().count("17") == (2 if kind == "session" else 1)

    later = FORGOTTEN_AT + timedelta(days=5)
    land(filled, [body(80, later.date(), userId=WHO)], now=later)
    build(filled)
    assert sessions_of(filled)["core"] == left + 1


def erasures(store: Store) -> list[tuple[str, dict[str, int], datetime, str]]:
    with store.database.connect() as connection:
        return connection.execute("SELECT kind, counts, finished_at, erasures::text FROM erasures").fetchall()


def test_what_was_never_there_is_forgotten_as_well(store: Store) -> None:
    governing.forget(store, Subject("session", "default", "never-landed"))
    land(store, [body(1, FIRST, sessionId="never-landed"), body(2, FIRST)])
    assert store.lake.read(RAW_SESSIONS)["session_id"].to_list() == ["s2"]
