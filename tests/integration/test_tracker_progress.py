"""`GET /progress` over HTTP at fixed clocks: local days, quarters, the trend, ranges, details, the export."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.tracker import files, tracking
from warehouse.access import users
from warehouse.postgres import Database
from warehouse.settings import StorageSettings
from warehouse.watches import goal_setting, watching

At = Callable[[str], httpx.Client]


@pytest.fixture
def at(storage: StorageSettings) -> Iterator[At]:
    """Serve the same database at one clock after the other."""
    with ExitStack() as stack:

        def open_at(now: str) -> httpx.Client:
            stack.close()
            return stack.enter_context(tracking(storage, now=datetime.fromisoformat(now).astimezone(UTC)))

        yield open_at


def minutes(client: httpx.Client) -> list[int]:
    activity = client.get("/progress").json()["daily_activity"]
    assert [day["days_ago"] for day in activity] == [6, 5, 4, 3, 2, 1, 0]
    return [day["minutes_watched"] for day in activity]


def import_watches(database: Database, *watches: dict[str, Any], user: str = "alice") -> None:
    with database.connect() as connection:
        watching.land(
            connection,
            tenant="default",
            user_id=user,
            route="takeout",
            body=msgspec.json.encode({"watches": watches}),
            now=datetime(2026, 3, 18, tzinfo=UTC),
            default_zone="Pacific/Auckland",
        )


def watched(at: datetime, count: float, item: str = "") -> dict[str, Any]:
    """A video of so many minutes."""
    stamp = at.astimezone(UTC).isoformat()
    return {"kind": "youtube", "item": item or stamp, "watched_at": stamp, "duration_s": int(count * 60)}


def test_a_day_begins_at_midnight_in_auckland(at: At) -> None:
    client = at("2026-03-18T23:59:59.999+13:00")
    client.post("/sync", json=files("f", "late"))
    assert client.get("/progress").json()["episodes_watched_today"] == 1
    client = at("2026-03-19T00:00:00+13:00")
    assert client.get("/progress").json()["episodes_watched_today"] == 0
    client.post("/sync", json=files("f", "early"))
    progress = client.get("/progress").json()
    assert (progress["episodes_watched_today"], progress["total_episodes_watched"]) == (1, 2)
    assert minutes(client) == [0, 0, 0, 0, 0, 20, 20]


def test_days_of_23_and_25_hours(at: At, database: Database) -> None:
    import_watches(
        database,
        watched(datetime.fromisoformat("2026-04-05T00:00:00+13:00"), 10),
        watched(datetime.fromisoformat("2026-04-05T23:59:59+12:00"), 5),
        watched(datetime.fromisoformat("2026-04-06T00:00:00+12:00"), 1),
    )
    assert minutes(at("2026-04-06T12:00:00+12:00")) == [0, 0, 0, 0, 0, 15, 1]
    import_watches(
        database,
        watched(datetime.fromisoformat("2025-09-28T00:00:00+12:00"), 7),
        watched(datetime.fromisoformat("2025-09-28T23:59:59+13:00"), 3),
    )
    assert minutes(at("2025-09-29T00:30:00+13:00")) == [0, 0, 0, 0, 0, 10, 0]


def test_quarters_run_from_the_first_to_the_last_watched(at: At, database: Database) -> None:
    assert at("2026-03-18T14:30:00+13:00").get("/progress").json()["all_time_progress"] == [
        {"label": "Jan 2026", "cumulative_hours": 0}
    ]
    import_watches(
        database,
        watched(datetime.fromisoformat("2025-06-30T23:59:59+12:00"), 119),
        watched(datetime.fromisoformat("2025-07-01T00:00:00+12:00"), 1),
        watched(datetime.fromisoformat("2026-03-01T00:00:00+13:00"), 59),
    )
    progress = at("2026-03-18T14:30:00+13:00").get("/progress").json()
    assert [(point["label"], point["cumulative_hours"]) for point in progress["all_time_progress"]] == [
        ("Apr 2025", 1),
        ("Jul 2025", 2),
        ("Oct 2025", 2),
        ("Jan 2026", 2),
    ]
    assert progress["total_hours_watched"] == 2


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [([13.9, 1], None), ([14, 1], 0.0), ([14, 14, 14, 1], -50.0), ([28, 1], 100.0), ([28, 8], -100.0), ([], None)],
)
def test_the_trend_compares_seven_days_with_a_mean_week(
    at: At, database: Database, days_ago: list[float], expected: float | None
) -> None:
    now = datetime.fromisoformat("2026-03-18T14:30:00+13:00")
    rows = [watched(now - timedelta(days=days), 30, f"{index}") for index, days in enumerate(days_ago)]
    if rows:
        import_watches(database, *rows)
    progress = at(now.isoformat()).get("/progress").json()
    assert progress["weekly_trend_percentage"] == expected
    assert progress["days_since_first_episode"] == (int(max(days_ago)) if days_ago else 0)


def test_the_last_week_begins_within_a_day(at: At, database: Database) -> None:
    now = datetime.fromisoformat("2026-03-18T14:30:00+13:00")
    edge = now - timedelta(days=7)
    seconds = [edge - timedelta(seconds=1), edge, edge + timedelta(seconds=1), now - timedelta(days=70)]
    import_watches(database, *(watched(moment, 10) for moment in seconds))
    assert at(now.isoformat()).get("/progress").json()["weekly_trend_percentage"] == 150.0


def test_a_user_has_a_time_zone(at: At, database: Database) -> None:
    with database.connect() as connection:
        users.add_user(connection, name="kim", password="password", tenant="default", time_zone="America/New_York")
    import_watches(database, watched(datetime(2026, 3, 18, 3, 0, tzinfo=UTC), 10), user="kim")
    client = at("2026-03-18T12:00:00+00:00")
    client.auth = ("kim", "password")
    assert minutes(client) == [0, 0, 0, 0, 0, 10, 0]
    with database.connect() as connection:
        users.set_user(connection, "kim", {"time_zone": "UTC", "language": "ja"})
    assert minutes(client) == [0, 0, 0, 0, 0, 0, 10]
    client.post("/sync", json=files("f", "1"))
    details = client.get("/progress/details").json()
    assert details["time_zone"] == "UTC"
    assert [(hours["language"], hours["confidence"]) for hours in details["hours"]] == [
        ("ja", "estimated"),
        (None, "synced"),
    ]


def test_a_range_of_days_and_everything(at: At, database: Database, storage: StorageSettings) -> None:
    noon = datetime.fromisoformat("2026-03-18T12:00:00+13:00")
    import_watches(database, *(watched(noon - timedelta(days=days), 30) for days in range(20)))
    with database.connect() as connection:
        users.add_user(connection, name="alice", password="password", tenant="default")
        goal_setting.set_goals(connection, storage, "alice", [("day", None, 30), ("week", None, 240)])
    client = at("2026-03-18T14:30:00+13:00")
    client.auth = ("alice", "password")
    whole = client.get("/progress").json()
    assert client.get("/progress?from=2026-02-01&to=2026-03-18").json() == whole
    part = client.get("/progress?from=2026-03-10&to=2026-03-12").json()
    fields = ("youtube_videos_watched", "youtube_videos_watched_today", "total_hours_watched")
    assert [part[field] for field in fields] == [3, 0, 1]
    assert client.get("/progress?to=2026-03-10").json()["youtube_videos_watched"] == 12
    for query in ("from=2026-13-01", "to=soon", "from=2026-03-02&to=2026-03-01"):
        answer = client.get(f"/progress?{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_PARAMETER")
        assert query.split("=")[0] in answer.json()["error"]["message"]
    details = client.get("/progress/details").json()
    streaks = {goal["streak"]["period"]: goal["streak"] for goal in details["goals"]}
    assert (streaks["day"]["current"], streaks["day"]["met"], streaks["week"]["met"]) == (20, True, False)
    export = client.get("/progress/export").json()
    assert (export["progress"], export["details"], len(export["watches"])) == (whole, details, 20)
    assert export["watches"][-1]["watched_at"] == "2026-03-17T23:00:00Z"
