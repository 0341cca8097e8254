"""Asset checks of streams and events: they hold for what was built, and each finds what is wrong."""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import httpx
import polars as pl
import pytest

from ingest.recovery import drain
from pipelines.live_checks import CHECKS
from pipelines.reporting import publish_engagement, publish_streams
from tests.integration.endpoint import serving
from tests.integration.test_live_landing import EVENTS, START_MS, build_everything, message
from warehouse.datasets.dataset import Dataset
from warehouse.datasets.events import CORE_WATCHED_SECONDS
from warehouse.datasets.live import CORE_CHAT, CORE_VIEWERS, OUT_CHAT_MINUTE
from warehouse.derivations import DERIVATIONS
from warehouse.store import Store

STEPS = tuple(step for step in DERIVATIONS if step.family in {"live", "events", "cmcd"})


@pytest.fixture
def landed(store: Store) -> Store:
    """A store with a stream and a session of events, built."""
    with serving(store.settings) as client:
        land(client, range(300))
        drain(store.settings, store.database, store.lake, timeout_s=30)
    build_everything(store, STEPS)
    return store


def land(client: httpx.Client, numbers: range) -> None:
    client.post("/v1/streams", json={"stream_id": "s", "title": "Run"}).raise_for_status()
    messages = [message(number, number) for number in numbers]
    client.post("/v1/chat", json={"messages": [*messages, messages[0]]}).raise_for_status()
    samples = [{"stream_id": "s", "viewer_count": 9, "timestamp": START_MS + n * 10_000} for n in range(30)]
    client.post("/v1/viewers", json={"samples": samples}).raise_for_status()
    client.post("/analytics/events", json={"events": [*EVENTS, EVENTS[0]]}).raise_for_status()


def failing(store: Store) -> set[str]:
    """Run every check; return those that fail."""
    found = set()
    for check in CHECKS:
        (key,) = check.check_keys
        result = check(store)
        assert isinstance(result, dg.AssetCheckResult)
        if not result.passed:
            found.add(f"{key.asset_key.to_user_string()}:{key.name}")
    return found


def rewrite(store: Store, dataset: Dataset, rows: pl.DataFrame) -> None:
    store.lake.replace_days(dataset, rows, rows["day"].unique())


def test_what_was_built_is_sound_and_published(landed: Store) -> None:
    assert failing(landed) == set()
    pages = [path.name for publish in (publish_streams, publish_engagement) for path in publish(landed)]
    assert pages == ["streams.html", "metrics.html", "index.html", "engagement.html", "metrics.html", "index.html"]


def test_rows_that_are_twice_there_or_lost_are_found(landed: Store) -> None:
    chat, viewers = (landed.lake.scan(dataset).collect() for dataset in (CORE_CHAT, CORE_VIEWERS))
    seconds = landed.lake.scan(CORE_WATCHED_SECONDS).collect()
    minutes = landed.lake.scan(OUT_CHAT_MINUTE).collect()
    rewrite(landed, CORE_CHAT, pl.concat([chat, chat.head(1)]))
    rewrite(landed, CORE_VIEWERS, viewers.head(-1))
    build_everything(landed, tuple(step for step in STEPS if step.sources == (CORE_CHAT, CORE_VIEWERS)))
    assert failing(landed) == {
        "core_chat:keys_unique",
        "core_chat:counts_reconcile",
        "core_viewers:counts_reconcile",
    }
    rewrite(landed, OUT_CHAT_MINUTE, minutes.with_columns(pl.col("viewer_n") + 1))
    rewrite(landed, CORE_WATCHED_SECONDS, seconds.head(-1))
    assert failing(landed) >= {"out_chat_minute:minutes_add_up", "out_engagement:seconds_add_up"}


def test_what_waits_too_long_is_found(landed: Store) -> None:
    with serving(landed.settings) as client:
        land(client, range(300, 310))
        drain(landed.settings, landed.database, landed.lake, timeout_s=30)
    assert failing(landed) == set(), "it landed just now"
    later = landed.settings.now() + timedelta(hours=3)
    waiting = replace(landed, settings=replace(landed.settings, fixed_now=later))
    assert failing(waiting) == {"out_chat_minute:fresh", "out_engagement:fresh"}
