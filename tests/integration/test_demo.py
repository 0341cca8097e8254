"""`playhead demo`, as its user runs it: with a file of their own and without, beside another tenant's data."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.commands import playhead
from warehouse.access.users import add_user
from warehouse.datasets import CORE_SESSIONS
from warehouse.postgres import open_database


@pytest.mark.timeout(600)
def test_demo_publishes_the_known_truth_and_can_be_repeated(storage, lake, tmp_path):
    start = datetime.now(UTC) - timedelta(days=3)
    other = {"sessionId": "kept", "sessionStartDateIso": start.isoformat(), "sessionDurationMs": 1_000, "playTimeMs": 9}
    (tmp_path / "other.ndjson").write_text(json.dumps(other))
    playhead(storage, "load", "--tenant", "other", str(tmp_path / "other.ndjson"))

    view = {"header": "YouTube", "title": "Watched", "time": "2026-01-02T03:04:05Z"}
    (tmp_path / "watch-history.json").write_text(json.dumps([view | {"titleUrl": "https://youtu.be/dQw4w9WgXcQ"}]))
    with open_database(storage) as database, database.connect() as connection:
        add_user(connection, name="bob", password="one", tenant="other")
    playhead(storage, "load", "--kind", "watches", "--user", "bob", str(tmp_path / "watch-history.json"))

    own = [other | {"sessionId": f"own-{n}", "playTimeMs": n} for n in range(25)]
    (tmp_path / "own.ndjson").write_text("\n".join(json.dumps(body) for body in own))
    assert "25 accepted" in playhead(storage, "demo", "--from", str(tmp_path / "own.ndjson"))
    printed = playhead(storage, "demo")
    assert "agrees" in printed
    assert "differs" not in printed

    reports = storage.reports_dir
    own_pages = [f"demo/{name}.html" for name in ("qoe", "progress", "streams", "engagement")]
    for page in ("index.html", "qoe.html", *own_pages, "other/qoe.html", "plotly.min.js"):
        assert (reports / page).is_file(), page
    executed = json.loads((reports / "demo" / "notebooks" / "01_qoe_overview.ipynb").read_text())
    assert any(cell.get("outputs") for cell in executed["cells"])

    sessions = lake.scan(CORE_SESSIONS).collect()
    assert not sessions["session_id"].str.starts_with("own-").any(), "the repeated demo replaces its data"
    core = dict(sessions.group_by("tenant").len().iter_rows())
    assert core["other"] == 1
    assert core["demo"] >= 5_000
    with open_database(storage) as database, database.connect() as connection:
        stored = dict(connection.execute("SELECT tenant, count(*) FROM sessions GROUP BY tenant").fetchall())
        keys = connection.execute("SELECT count(*) FROM api_keys WHERE tenant = 'demo'").fetchone()
        watches = dict(connection.execute("SELECT tenant, count(*) FROM watches GROUP BY tenant").fetchall())
        described = connection.execute("SELECT count(*) FROM metadata WHERE id = 'dQw4w9WgXcQ'").fetchone()
    assert stored == core
    assert keys == (1,)
    assert watches["other"] == 1
    assert watches["demo"] > 2_000
    assert described == (0,), "sample data says nothing of a real video"


def test_info_tells_where_everything_is(storage):
    facts = json.loads(playhead(storage, "info", "--json"))
    assert facts["home"] == str(storage.home)
    assert facts["reports_dir"] == str(storage.reports_dir)
    assert facts["lake_url"] == storage.lake_url
    assert facts["database_url"].startswith("postgresql://")
    assert facts["versions"]["dagster"]


def test_a_database_that_is_away_is_one_line(storage):
    assert storage.database_url is not None
    away = replace(storage, database_url=storage.database_url.set(port=1))
    printed = playhead(away, "refresh", code=1)
    assert printed.startswith("Error: The database cannot be used: connection failed")
    assert "Traceback" not in printed


def test_a_setting_that_cannot_be_used_is_one_line(storage):
    storage.home.mkdir()
    (storage.home / "playhead.toml").write_text("[dimension]\n")
    printed = playhead(storage, "info", code=1)
    assert printed.strip().endswith("unknown key 'dimension'; did you mean 'dimensions'?")
