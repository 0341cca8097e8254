"""Incidents from the tables to the webhook: stored once, told at least once, and in nobody's way."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl
import pytest

from pipelines import reporting
from pipelines.alarms import find_and_tell
from tests.benchmarks.planted import DIMENSIONS, START, Planted, draw
from warehouse.datasets import CORE_SESSIONS, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, OUT_QOE_HOURLY
from warehouse.incidents import finding, webhooks
from warehouse.incidents.settings import IncidentSettings
from warehouse.lake import Lake
from warehouse.metrics import histogram, qoe
from warehouse.store import Store

BEGIN = datetime.combine(START, datetime.min.time(), UTC)
FIRST, LAST = 10, 24
"""Days of data; the outage lasts from day 20 to 22."""


@dataclass
class Receiver:
    """A webhook that answers as it is told, and remembers what it took."""

    answers: list[int] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    def keys(self) -> list[str]:
        return [key for key, _ in self.asked]

    def events(self) -> list[str]:
        return [body["event"] for _, body in self.asked]


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            receiver.asked.append((self.headers["Idempotency-Key"], body))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as found:
        yield found


@pytest.fixture(scope="module")
def core() -> pl.DataFrame:
    outage = Planted("failure_pct", "cdn", "cdn-1", BEGIN + timedelta(days=20), BEGIN + timedelta(days=22), 8.0)
    first, last = ((BEGIN + timedelta(days=day)).date() for day in (FIRST, LAST))
    return draw(3, [outage], sessions_a_day=600).filter(pl.col("day").is_between(first, last, closed="left"))


def at(store: Store, day: float, core: pl.DataFrame, url: str | None = None) -> Store:
    """The store on the morning of a day, with the sessions of the days before it."""
    settings = replace(
        store.settings,
        dimensions=DIMENSIONS,
        fixed_now=BEGIN + timedelta(days=day, hours=6),
        incidents=IncidentSettings(webhook=url),
    )
    lake = Lake(settings.lake_url, DIMENSIONS)
    known = core.filter(pl.col("day") < (BEGIN + timedelta(days=day)).date())
    days = core["day"].unique().to_list()
    lake.replace_days(CORE_SESSIONS, known, days)
    lake.replace_days(OUT_QOE_HOURLY, qoe.aggregate(known, DIMENSIONS, OUT_QOE_HOURLY), days)
    return replace(store, settings=settings, lake=lake)


def stored(store: Store) -> list[dict[str, Any]]:
    with store.database.connect() as connection:
        return finding.load(connection)


def deliveries(store: Store) -> list[tuple[Any, ...]]:
    with store.database.connect() as connection:
        rows = connection.execute(
            "SELECT event, attempts, error, delivered_at IS NOT NULL FROM incident_deliveries ORDER BY position"
        )
        return rows.fetchall()


def test_an_incident_opens_lasts_and_is_over(store: Store, core: pl.DataFrame, receiver: Receiver) -> None:
    assert find_and_tell(at(store, 20, core, receiver.url)).found == 0
    first = find_and_tell(at(store, 21, core, receiver.url))
    assert (first.opened, first.resolved, first.delivered.sent) == (1, 0, 1)
    (row,) = stored(store)
    assert (row["state"], row["dimension"], row["value"], row["ended_at"]) == ("open", "cdn", "cdn-1", None)
    assert row["causes"][0]["value"] == "cdn-1"
    again = find_and_tell(at(store, 21, core, receiver.url))
    assert (again.opened, again.resolved, again.delivered.sent) == (0, 0, 0)
    last = find_and_tell(at(store, LAST, core, receiver.url))
    assert (last.opened, last.resolved, last.delivered.sent) == (0, 1, 1)
    (over,) = stored(store)
    assert over["incident_id"] == row["incident_id"]
    assert (over["state"], over["ended_at"]) == ("resolved", BEGIN + timedelta(days=22))
    assert receiver.events() == ["opened", "resolved"]
    told = receiver.asked[0][1]["incident"]
    assert told["slice"] == "cdn=cdn-1"
    assert abs(datetime.fromisoformat(told["started_at"]) - BEGIN - timedelta(days=20)) <= timedelta(hours=6)
    assert told["low"] < told["peak"] < told["high"]


def test_a_receiver_that_fails_first_gets_it_in_the_same_run(
    store: Store, core: pl.DataFrame, receiver: Receiver
) -> None:
    receiver.answers = [503]
    assert find_and_tell(at(store, 21, core, receiver.url)).delivered.sent == 1
    assert len(receiver.asked) == 2
    assert len(set(receiver.keys())) == 1
    assert deliveries(store) == [("opened", 2, None, True)]


def test_what_was_not_delivered_is_tried_again_by_the_next_run_in_order(
    store: Store, core: pl.DataFrame, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "PAUSES_S", (0.01, 0.01))
    receiver.answers = [500, 500, 302]
    failed = find_and_tell(at(store, 21, core, receiver.url)).delivered
    assert (failed.sent, failed.waiting, failed.error) == (0, 1, "answered 302")
    assert deliveries(store) == [("opened", 3, "answered 302", False)]
    done = find_and_tell(at(store, LAST, core, receiver.url)).delivered
    assert (done.sent, done.waiting) == (2, 0)
    assert receiver.events() == ["opened"] * 4 + ["resolved"]
    assert len(set(receiver.keys()[:4])) == 1


def test_nobody_there_fails_nothing(store: Store, core: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PAUSES_S", (0.01,))
    with listening(Receiver()) as gone:
        pass
    told = find_and_tell(at(store, 21, core, gone.url))
    assert (told.found, told.delivered.sent, told.delivered.waiting) == (1, 0, 1)
    assert told.delivered.error
    assert told.delivered.error.startswith("ConnectError")


def test_without_a_webhook_nothing_is_queued(store: Store, core: pl.DataFrame) -> None:
    assert find_and_tell(at(store, 21, core)).opened == 1
    assert deliveries(store) == []


def test_what_was_over_long_ago_is_stored_and_not_told(store: Store, core: pl.DataFrame, receiver: Receiver) -> None:
    late = at(store, LAST, core, receiver.url)
    settings = replace(late.settings, fixed_now=BEGIN + timedelta(days=60))
    assert find_and_tell(replace(late, settings=settings)).found == 1
    assert [row["state"] for row in stored(store)] == ["resolved"]
    assert receiver.asked == []


def test_an_incident_that_later_data_does_not_tell_of_is_withdrawn(
    store: Store, core: pl.DataFrame, receiver: Receiver
) -> None:
    find_and_tell(at(store, 21, core, receiver.url))
    mended = core.with_columns(outcome=pl.lit("played"))
    find_and_tell(at(store, 21, mended, receiver.url))
    assert stored(store) == []
    assert receiver.events() == ["opened", "resolved"]
    assert receiver.asked[1][1]["incident"]["state"] == "withdrawn"
    find_and_tell(at(store, 21, core, receiver.url))
    assert [row["state"] for row in stored(store)] == ["open"]
    assert receiver.events() == ["opened", "resolved", "opened"]
    assert len(set(receiver.keys())) == 3


def test_the_page_tells_of_it_and_leads_to_its_sessions(store: Store, core: pl.DataFrame) -> None:
    late = at(store, LAST, core)
    days = core["day"].unique().to_list()
    late.lake.replace_days(OUT_QOE_DAILY, qoe.aggregate(core, DIMENSIONS), days)
    late.lake.replace_days(OUT_QOE_HISTOGRAM_DAILY, histogram.aggregate(core, DIMENSIONS), days)
    find_and_tell(late)
    reporting.publish_qoe(late)
    page = (late.settings.reports_dir / "t" / "qoe.html").read_text(encoding="utf-8")
    assert ">Failures</a>, CDN cdn-1" in page
    (row,) = stored(late)
    assert f"Began {row['started_at']:%a %-d %b %Y %H:%M}, over Tue 24 Mar 2026 00:00" in page
    first = row["started_at"].date().isoformat()
    assert f"sessions_behind(&#39;failure_pct&#39;, tenant=&#39;t&#39;, day=&#39;{first}&#39;" in page
