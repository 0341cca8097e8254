"""Live streams, player events and CMCD are retained, forgotten and rebuilt like sessions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.integration import governing, populated
from tests.integration.populated import (
    EXPIRED,
    LATE,
    NOW,
    OTHER,
    SPLIT,
    WHO,
    Bodies,
    build,
    event,
    land,
    message,
    outs,
    playback,
    rows,
    sample,
)
from tests.integration.prepared import Prepared
from tests.integration.searching import places
from warehouse.datasets import CORE_SESSIONS, DATASETS
from warehouse.datasets.cmcd import CORE_CMCD, RAW_CMCD
from warehouse.datasets.events import CORE_EVENTS, CORE_WATCHED_SECONDS, OUT_ENGAGEMENT, RAW_EVENTS
from warehouse.datasets.live import CORE_CHAT, CORE_STREAMS, CORE_VIEWERS, OUT_CHAT_MINUTE, OUT_MOMENTS, RAW_CHAT
from warehouse.datasets.watches import OUT_PROGRESS_DAILY
from warehouse.governance.rebuilding import rebuild, verify
from warehouse.governance.retention import retain
from warehouse.landing.tombstones import Subject
from warehouse.policies import Policy, defaults
from warehouse.store import Store


@pytest.fixture(scope="module")
def retained_home(populated_home: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A home from which went what has expired."""
    with populated_home.changed(tmp_path_factory.mktemp("retained") / "home", NOW, retain) as changed:
        yield changed


@pytest.fixture
def retained(retained_home: Prepared, tmp_path: Path) -> Iterator[Store]:
    with retained_home.copied(tmp_path / "retained", NOW) as store:
        yield store


def test_expired_rows_are_nowhere_and_aggregates_are_as_before(governed: Store) -> None:
    before = outs(governed)
    assert before[OUT_MOMENTS.name].height > 0
    assert len(places(governed, EXPIRED)) > 8
    counted = retain(governed, dry_run=True)
    done = retain(governed)
    assert {name: done.rows[name] for name in counted.rows} == counted.rows
    assert done.frozen == counted.frozen
    expected = {"raw_events": 10, "analytics_events": 10, "raw_chat": 360, "chat_messages": 360}
    expected |= {"raw_viewers": 40, "viewer_timeseries": 40, "raw_cmcd": 1, "streams": 0, "raw_streams": 0}
    assert {name: done.rows[name] for name in expected} == expected
    assert places(governed, EXPIRED) == []
    assert governed.lake.read(RAW_EVENTS).height == 14
    assert governed.lake.read(RAW_CHAT).height == 4
    assert [len(held) for held in rows(governed).values()] == [3, 6, 14, 4, 1, 1]
    for name, frame in outs(governed).items():
        assert_frame_equal(frame, before[name], rel_tol=1e-9)
    assert list(verify(governed)) == []
    fingerprints = [governed.lake.fingerprints(table) for table in DATASETS.values()]
    assert not any(retain(governed).rows.values())
    assert [governed.lake.fingerprints(table) for table in DATASETS.values()] == fingerprints


def test_a_session_of_which_half_has_expired_counts_once_and_whole(retained: Store) -> None:
    core = retained.lake.read(CORE_SESSIONS, lambda rows: rows.filter(pl.col("session_id") == "split"))
    assert core["play_ms"].item() < 20_000
    later = replace(retained, settings=replace(retained.settings, fixed_now=LATE + timedelta(days=91)))
    before = outs(retained)
    retain(later)
    assert retained.lake.read(RAW_EVENTS).is_empty()
    for name, frame in outs(retained).items():
        assert_frame_equal(frame, before[name], rel_tol=1e-9)
    assert rows(retained, "session_keys", "analytics_events") == {"session_keys": [], "analytics_events": []}


def test_what_arrives_for_frozen_days_is_added_where_it_can_be(retained: Store) -> None:
    before = outs(retained)
    late = Bodies(
        events=playback("very-late", OTHER),
        chat=[message(600, 5, OTHER), message(601, 5_000, OTHER)],
        viewers=[sample(5_001, 3)],
    )
    land(retained, late, NOW)
    build(retained)
    minutes, old = retained.lake.read(OUT_CHAT_MINUTE), before[OUT_CHAT_MINUTE.name]
    added = minutes.join(old, on=OUT_CHAT_MINUTE.key, how="anti")
    assert added.select("chat_count", "viewer_n", "z_score", "is_anomaly").rows() == [(1, 1, None, False)]
    assert_frame_equal(minutes.join(added, on=OUT_CHAT_MINUTE.key, how="anti").sort(OUT_CHAT_MINUTE.key), old)
    assert_frame_equal(retained.lake.read(OUT_MOMENTS).sort(OUT_MOMENTS.key), before[OUT_MOMENTS.name])
    total = pl.col("second") == 0
    sessions = [
        frame.filter(total)["sessions_n"].sum()
        for frame in (before[OUT_ENGAGEMENT.name], retained.lake.read(OUT_ENGAGEMENT))
    ]
    assert sessions[1] == sessions[0] + 1
    assert list(verify(retained)) == []


def test_aggregates_expire_with_their_last_row(governed: Store) -> None:
    retain(replace(governed, settings=replace(governed.settings, fixed_now=LATE + timedelta(days=401))))
    assert {name for name, frame in outs(governed).items() if frame.height} == {OUT_PROGRESS_DAILY.name}
    assert list(verify(governed)) == []


def test_descriptions_of_streams_expire_only_by_a_policy(governed: Store) -> None:
    short = (*(policy for policy in defaults(90) if policy.kind != "streams"), Policy("streams", 90))
    at = replace(governed, settings=replace(governed.settings, retention=short))
    done = retain(at)
    assert (done.rows["raw_streams"], done.rows["streams"]) == (1, 0)
    assert list(verify(at)) == []
    with at.database.connect() as connection:
        assert connection.execute("SELECT created_at, is_live FROM streams").fetchall() == [(LATE, True)]


@pytest.mark.parametrize("first", ["governed", "retained"])
def test_a_forgotten_viewer_is_nowhere_and_does_not_come_back(request: pytest.FixtureRequest, first: str) -> None:
    governed: Store = request.getfixturevalue(first)
    held = rows(governed)
    assert len(places(governed, WHO)) > 10
    governing.forget(governed, Subject("user", "default", WHO))
    assert places(governed, WHO) == []
    gone = (",s20,", ",hers,", "m501", "m502", "m503", WHO)
    assert rows(governed) == {
        table: [row for row in found if not any(part in row for part in gone)] for table, found in held.items()
    }
    assert list(verify(governed)) == []

    left = rows(governed)
    resent = Bodies(
        events=[event("hers", 7, "play", 40, None), event("unknown", 1, "play", 0, WHO)],
        chat=[
            message(501, 901, WHO),
            message(502, 902, "x", username=WHO),
            message(503, -1e9, WHO),
            message(510, 9, WHO),
        ],
        cmcd=[{"sid": "hers", "cid": "v", "br": 1000}],
    )
    land(governed, resent, NOW)
    rebuild(governed)
    assert places(governed, WHO) == []
    assert rows(governed) == left
    land(governed, Bodies(chat=[message(700, 120 * 86_400, WHO)]), NOW + timedelta(days=20))
    assert len(rows(governed, "chat_messages")["chat_messages"]) == len(left["chat_messages"]) + 1


def test_a_forgotten_session_takes_its_events_and_requests_along(governed: Store) -> None:
    governing.forget(governed, Subject("session", "default", "hers"))
    governing.forget(governed, Subject("session", "default", "split"))
    assert places(governed, '"hers"') == places(governed, "split-1") == []
    land(governed, Bodies(events=SPLIT, cmcd=[{"sid": "hers", "cid": "v"}]), NOW)
    assert places(governed, '"hers"') == places(governed, "split-1") == []
    assert sorted(governed.lake.read(RAW_CMCD)["session_id"]) == ["late", EXPIRED]
    assert list(verify(governed)) == []


DERIVED = (
    (CORE_WATCHED_SECONDS, "count", 9),
    (OUT_ENGAGEMENT, "last_n", 9),
    (OUT_CHAT_MINUTE, "avg_viewers", 0.1),
    (OUT_MOMENTS, "threshold", 0.1),
)
CORE = (
    (CORE_EVENTS, "position_s", 0.5),
    (CORE_CHAT, "sentiment", 0.123),
    (CORE_VIEWERS, "viewer_count", 1),
    (CORE_STREAMS, "title", "other"),
    (CORE_CMCD, "bitrate_kbps", 1.0),
)


def test_a_single_changed_value_is_found_in_every_table(governed: Store) -> None:
    # What is derived goes first: a changed core makes it stale, and that is left to the next refresh.
    for changes in (DERIVED, CORE):
        for dataset, column, value in changes:
            frame = governed.lake.read(dataset)
            first = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value)).otherwise(pl.col(column))
            changed = frame.with_columns(first.cast(frame.schema[column]).alias(column))
            governed.lake.replace_days(dataset, changed, frame["day"].unique())
        found = {d.table: (d.missing, d.extra, d.changed) for d in verify(governed)}
        names = [dataset.name for dataset, _, _ in changes]
        assert {name: found.get(name) for name in names} == dict.fromkeys(names, (0, 0, 1))


def test_landed_rows_come_back_from_raw_alone(governed: Store) -> None:
    held = rows(governed)
    with governed.database.connect() as connection:
        connection.execute(b"UPDATE chat_messages SET message = 'other' WHERE message_id = 'm7'")
        connection.execute(b"UPDATE analytics_events SET event_data = '{}' WHERE event_id = 'late-1'")
        connection.execute(b"DELETE FROM viewer_timeseries WHERE viewer_count = 7")
        connection.execute(b"UPDATE streams SET title = 'other'")
    assert {str(difference) for difference in verify(governed)} == {
        "chat_messages: 0 missing, 0 too many, 1 changed",
        "analytics_events: 0 missing, 0 too many, 1 changed",
        "viewer_timeseries: 1 missing, 0 too many, 0 changed",
        "streams: 0 missing, 0 too many, 1 changed",
    }
    list(rebuild(governed))
    assert rows(governed) == held
    with governed.database.connect() as connection:
        connection.execute(f"TRUNCATE {', '.join(populated.TABLES)}".encode())
    list(rebuild(governed))
    after = rows(governed)
    assert {table: found for table, found in after.items() if table != "session_keys"} == {
        table: found for table, found in held.items() if table != "session_keys"
    }
    assert len(after["session_keys"]) == len(held["session_keys"])
    assert list(verify(governed)) == []
