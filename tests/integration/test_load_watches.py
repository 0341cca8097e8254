"""`playhead load --kind watches`: exports land as watches, again and overlapping, and what is none says why."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console

from playhead import watch_loading
from tests.integration.commands import playhead
from warehouse.access.users import add_user
from warehouse.postgres import open_database

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
AT = "2025-01-02T03:04:05Z"


@pytest.fixture
def alice(storage):
    with open_database(storage) as database, database.connect() as connection:
        add_user(connection, name="alice", password="one", tenant="acme", language="ja")


def view(video: str, at: str = AT) -> dict[str, object]:
    url = f"https://www.youtube.com/watch?v={video}"
    return {"header": "YouTube", "title": f"Watched {video}", "titleUrl": url, "time": at}


def load(storage, *files: Path, user: str = "alice", tenant: str | None = None, code: int = 0) -> str:
    printed = io.StringIO()
    console, rejects = Console(file=printed, width=200), storage.home / "rejects.ndjson"
    assert watch_loading.run(console, storage, files, tenant=tenant, user=user, rejects=rejects) == code
    return printed.getvalue()


def rejected(storage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (storage.home / "rejects.ndjson").read_text().splitlines()]


def stored(storage) -> dict[tuple[str, ...], tuple[object, ...]]:
    with open_database(storage) as database, database.connect() as connection:
        rows = connection.execute(
            "SELECT tenant, user_id, kind, coalesce(folder, ''), item, watched_at::text, source, tmdb_id FROM watches"
        )
        return {row[:5]: row[5:] for row in rows.fetchall()}


def test_overlapping_exports_add_only_what_is_new(storage, alice, tmp_path):
    first, second = tmp_path / "watch-history.json", tmp_path / "later.json.gz"
    first.write_text(json.dumps([view("aaaaaaaaaaa", "2025-02-02T00:00:00Z"), view("bbbbbbbbbbb")]))
    again = [view("ccccccccccc"), view("aaaaaaaaaaa", "2025-01-01T12:00:00+13:00"), view("bbbbbbbbbbb")]
    second.write_bytes(gzip.compress(json.dumps(again).encode()))
    assert "Read 2 watches of alice, 2 of them new" in load(storage, first)
    once = stored(storage)
    assert "Read 2 watches of alice, 0 of them new" in load(storage, first)
    assert stored(storage) == once
    assert "Read 3 watches of alice, 1 of them new" in load(storage, second)
    found = {key[4]: row[0] for key, row in stored(storage).items()}
    assert sorted(found) == ["aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"]
    assert found["aaaaaaaaaaa"].startswith("2024-12-31 23:00:00"), "the earliest holds"


def test_what_is_no_watch_goes_to_a_file_with_its_reason(storage, alice, tmp_path):
    source, broken = tmp_path / "mixed.json", tmp_path / "broken.json"
    long = {"watched_at": AT, "movie": {"title": "x" * 5_000}}
    paused = {"progress": 64.0, "paused_at": AT, "movie": {"title": "TRON"}}
    source.write_text(json.dumps([view("aaaaaaaaaaa"), {"what": 1}, paused, long, view("bbbbbbbbbbb"), "text"]))
    broken.write_text("[{")
    printed = load(storage, source, broken, code=1)
    assert "Read 2 watches of alice, 2 of them new" in printed
    by_place = {(Path(entry["file"]).name, entry["line"]): entry for entry in rejected(storage)}
    assert sorted(by_place) == [("broken.json", 1), *(("mixed.json", line) for line in (2, 3, 4, 6))]
    assert by_place["mixed.json", 3]["message"] == "paused at 64.0 %, not watched to its end"
    assert json.loads(by_place["mixed.json", 3]["body"]) == paused
    assert "neither" in by_place["mixed.json", 6]["message"]
    assert "item" in by_place["mixed.json", 4]["message"]
    assert "not valid JSON" in by_place["broken.json", 1]["message"]


@pytest.mark.skipif(not DATA.exists(), reason="the exports are not beside the repository")
def test_the_real_exports_are_loaded_whole(storage, alice):
    trakt = DATA / "trakt" / "sync"
    files = [*sorted((DATA / "takeout").glob("*.json")), *sorted(trakt.glob("history*.json")), *trakt.glob("*/*.json")]
    printed = load(storage, *files, code=1)
    kinds = [key[2] for key in stored(storage)]
    # 90 and 7 videos; 5 movies over three files; 41 episodes of watched shows and 3 of the history.
    assert (kinds.count("youtube"), kinds.count("movie"), kinds.count("episode")) == (97, 5, 44)
    assert "146 of them new" in printed
    assert sorted({entry["message"].partition(" ")[0] for entry in rejected(storage)}) == ["paused", "titleUrl"]
    once = stored(storage)
    assert "0 of them new" in load(storage, *files, tenant="acme", code=1)
    assert stored(storage) == once
    tron = once["acme", "alice", "movie", "", "TRON: Legacy (2010)"]
    assert (tron[1], tron[2]) == ("trakt", 20526)


def test_users_are_known_and_belong_to_one_tenant(storage, alice, tmp_path):
    source = tmp_path / "one.json"
    source.write_text(json.dumps([view("aaaaaaaaaaa")]))
    with pytest.raises(click.ClickException, match="there is no user 'bob'"):
        load(storage, source, user="bob")
    with pytest.raises(click.ClickException, match="belongs to the tenant 'acme', not 'other'"):
        load(storage, source, tenant="other")
    assert "--user belongs to --kind watches" in playhead(storage, "load", "--user", "alice", str(source), code=2)
    assert stored(storage) == {}
    command = ["load", "--kind", "watches", "--user", "alice", str(source)]
    assert "Read 1 watches of alice, 1 of them new" in playhead(storage, *command)
