"""A crash in the middle of retaining, forgetting or rebuilding: the next run ends where an unbroken one does."""

import signal
import subprocess
import sys
from collections.abc import Sequence

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.integration import governing
from tests.integration.landed import FIRST
from tests.integration.populated import EXPIRED, NOW, OTHER, WHO, outs, rows
from tests.integration.searching import places
from warehouse.datasets import CONTENT_DIMENSION, CORE_SESSIONS, OUT_QOE_DAILY
from warehouse.datasets.events import RAW_EVENTS
from warehouse.datasets.live import OUT_CHAT_MINUTE, OUT_MOMENTS, RAW_CHAT, RAW_VIEWERS
from warehouse.datasets.watches import CORE_WATCHES
from warehouse.governance.rebuilding import verify
from warehouse.store import Store

RETAIN, FORGET, REBUILD = "retain", f"forget {WHO}", "rebuild"

CRASHES: dict[str, Sequence[tuple[str, int]]] = {
    RETAIN: (
        ("before a commit in Postgres", 1),
        ("after a base is frozen", 2),
        ("after the sessions of Postgres went", 1),
        ("after events or chat of Postgres went", 2),
        ("after days are filtered", 2),
        ("after days are filtered", 4),
        ("after days are replaced", 2),
        ("before a build is recorded", 1),
    ),
    FORGET: (
        ("after the tombstone", 1),
        ("before a commit in Postgres", 3),
        ("after days are filtered", 2),
        ("after watches are mended", 4),
        ("after days are replaced", 3),
        ("before the receipt is closed", 1),
    ),
    REBUILD: (
        ("before a commit in Postgres", 2),
        ("after watches are mended", 3),
        ("after days are replaced", 4),
        ("before a build is recorded", 6),
    ),
}
"""The points at which a command dies, one after the other, each time going on where it stopped: every other one in each
order."""


@pytest.mark.parametrize("order", [(RETAIN, FORGET, REBUILD), (FORGET, REBUILD, RETAIN)], ids=" ".join)
def test_in_any_order_with_crashes(governed: Store, order: Sequence[str]) -> None:
    half = order[0] == FORGET
    before = outs(governed)
    with governed.database.connect() as connection:
        connection.execute("UPDATE sessions SET rebuffer_count = 9")
        connection.execute("UPDATE chat_messages SET message = 'wrong'")
        connection.execute("DELETE FROM watches")
    for command in order:
        for point, call in CRASHES[command][half::2]:
            with governing.dying_at(point, call):
                governing.run_short(command, governed)
        governing.run_short(command, governed)

    assert places(governed, EXPIRED) == places(governed, WHO) == []
    assert list(verify(governed)) == []
    assert {table: len(held) for table, held in rows(governed).items()} == {
        "sessions": 2,
        "session_keys": 4,
        "analytics_events": 8,
        "chat_messages": 1,
        "viewer_timeseries": 1,
        "streams": 1,
    }
    assert [governed.lake.read(table).height for table in (RAW_EVENTS, RAW_CHAT, RAW_VIEWERS)] == [8, 1, 1]
    assert governed.lake.read(CORE_WATCHES)["user_id"].to_list() == [OTHER]
    content = pl.col("dimension") == CONTENT_DIMENSION
    told = [
        frame.filter(content)["sessions"].sum()
        for frame in (before[OUT_QOE_DAILY.name], outs(governed)[OUT_QOE_DAILY.name])
    ]
    assert told[1] == told[0] - 2
    with governed.database.connect() as connection:
        receipts = connection.execute("SELECT count(*), count(finished_at) FROM erasures").fetchone()
    assert receipts == (1, 1)
    if order[0] == RETAIN:
        # Her chat was frozen with its day, which does not add up.
        for name in (OUT_CHAT_MINUTE.name, OUT_MOMENTS.name):
            held, expected = (frames[name].filter(pl.col("day") == FIRST) for frames in (outs(governed), before))
            assert_frame_equal(held, expected)


def test_a_killed_command_is_gone_on_with(governed: Store) -> None:
    url = governed.settings.database_url
    assert url is not None
    where = (str(governed.settings.home), url.render_as_string(hide_password=False))
    arguments = ["after days are filtered", "3", RETAIN, NOW.isoformat(), *where]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.governing", *arguments], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode() or "the point was not reached"
    before = outs(governed)
    governing.run_short(RETAIN, governed)
    assert places(governed, EXPIRED) == []
    assert governed.lake.read(CORE_SESSIONS).height == 6
    assert list(verify(governed)) == []
    for name, frame in outs(governed).items():
        assert_frame_equal(frame, before[name], rel_tol=1e-9)
