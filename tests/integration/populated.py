"""A home with every kind of landed data, for tests of what governs them; how it is made once is in `prepared`.

Of everything some arrived `EARLY` and has expired `NOW`, and some `LATE` and has not. `WHO` is somebody to forget.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from ingest.landing import Landing
from ingest.payloads import cmcd, events, session, streams
from ingest.payloads.instants import Arrival
from tests.integration.landed import FIRST, body
from tests.integration.tracker import files
from warehouse import building
from warehouse.datasets import DATASETS
from warehouse.datasets.cmcd import OUT_CMCD_SESSIONS
from warehouse.derivations import DERIVATIONS
from warehouse.landing import outbox
from warehouse.metrics.cmcd_logs import Request
from warehouse.store import Store
from warehouse.watches import watching

EARLY, LATE, NOW = (datetime(2026, month, 15, tzinfo=UTC) for month in (3, 4, 6))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHO, EXPIRED, OTHER = "viewer-to-forget", "viewer-of-the-past", "viewer-who-stays"
TABLES = ("sessions", "session_keys", "analytics_events", "chat_messages", "viewer_timeseries", "streams")
"""The tables of Postgres that are landed."""


@dataclass
class Bodies:
    """Bodies of each kind as they are sent."""

    sessions: Sequence[dict[str, object]] = ()
    events: Sequence[dict[str, object]] = ()
    chat: Sequence[dict[str, object]] = ()
    viewers: Sequence[dict[str, object]] = ()
    streams: Sequence[dict[str, object]] = ()
    cmcd: Sequence[dict[str, object]] = ()

    def records(self, now: datetime) -> list[bytes]:
        """Return them as landing records that arrived then."""
        landed = {"tenant": "default", "arrival": Arrival.at(now)}
        found = [session.accept(_json(item), tenant="default", now=now).record for item in self.sessions]
        accepts = (
            (events.accept, self.events),
            (streams.accept_message, self.chat),
            (streams.accept_sample, self.viewers),
            (streams.accept_stream, self.streams),
        )
        found += [accept(_json(item), **landed).record for accept, items in accepts for item in items]  # type: ignore[operator]
        requests = (Request(number, keys, START) for number, keys in enumerate(self.cmcd))
        return found + [cmcd.accept(request, log="log", **landed).record for request in requests]  # type: ignore[arg-type]


def _json(item: dict[str, object]) -> bytes:
    return json.dumps(item).encode()


def land(store: Store, bodies: Bodies, now: datetime) -> None:
    """Land and seal."""

    async def run() -> None:
        async with Landing.open(store.settings, store.database, store.lake) as landing:
            await landing.land(bodies.records(now))
            await landing.seal()

    asyncio.run(run())


def event(name: str, number: int, kind: str, at_s: float, user: str | None, **data: object) -> dict[str, object]:
    at = START + timedelta(seconds=at_s)
    told = {"eventId": f"{name}-{number}", "sessionId": name, "videoId": "v", "type": kind, "data": data}
    return told | {"timestamp": at.isoformat()} | ({} if user is None else {"userId": user})


def playback(name: str, user: str, at_s: float = 0) -> list[dict[str, object]]:
    """Twenty seconds watched, of which only the first event tells the user."""
    return [
        event(name, 1, "load", at_s, user, duration=40),
        event(name, 2, "play", at_s + 1, None, position=0),
        event(name, 3, "heartbeat", at_s + 6, None, position=5),
        event(name, 4, "heartbeat", at_s + 11, None, position=10),
        event(name, 5, "heartbeat", at_s + 16, None, position=15),
        event(name, 6, "pause", at_s + 21, None, position=20),
    ]


def message(number: int, at_s: float, user: str, **fields: object) -> dict[str, object]:
    said = {"message_id": f"m{number}", "stream_id": "s", "user_id": user, "message": "great run", "emotes": ["Kappa"]}
    return said | {"timestamp": (START + timedelta(seconds=at_s)).isoformat()} | fields


def sample(at_s: float, viewers: int) -> dict[str, object]:
    return {"stream_id": "s", "viewer_count": viewers, "timestamp": (START + timedelta(seconds=at_s)).isoformat()}


SPLIT = playback("split", OTHER, 100)
"""A session of which one half arrived early and one late."""


def fill(store: Store) -> None:
    """Land everything, early and late, and build what is derived."""
    described = {"stream_id": "s", "title": "Run", "public": True}
    burst = [message(1_000 + n, 600 + n / 50, EXPIRED) for n in range(300)]
    early = Bodies(
        sessions=[body(n, FIRST + timedelta(days=n % 2), userId=EXPIRED) for n in range(6)],
        events=[*playback("past", EXPIRED), *SPLIT[:4]],
        chat=[*(message(n, n * 10, EXPIRED) for n in range(60)), *burst],
        viewers=[sample(n * 15, 100 + n) for n in range(40)],
        streams=[described],
        cmcd=[{"sid": EXPIRED, "cid": "v", "br": 1000, "d": 4000, "ot": "v"}],
    )
    hers = [message(501, 901, WHO), message(502, 902, "x", username=WHO), message(503, -1e9, WHO)]
    late = Bodies(
        sessions=[body(n, FIRST, userId=WHO if n == 20 else OTHER) for n in range(20, 23)],
        events=[*playback("hers", WHO, 30), *playback("late", OTHER, 60), *SPLIT[4:]],
        chat=[message(500, 900, OTHER), *hers],
        viewers=[sample(905, 7)],
        streams=[described | {"is_live": True}],
        cmcd=[{"sid": "hers", "cid": "v", "br": 1000}, {"sid": "late", "cid": "v", "br": 2000}],
    )
    land(store, early, EARLY)
    land(store, late, LATE)
    for user in (WHO, OTHER):
        given = _json(files("Dark", f"{user}.mkv"))
        sent = {"tenant": "default", "user_id": user, "route": "sync", "body": given, "default_zone": "UTC"}
        with store.database.connect() as connection:
            watching.land(connection, now=EARLY, **sent)  # type: ignore[arg-type]
            outbox.seal(connection, store.lake)
    build(store)


def build(store: Store) -> None:
    """Build whatever is stale."""
    for step in DERIVATIONS:
        building.build(store, step, building.stale_days(store, step))


def rows(store: Store, *tables: str) -> dict[str, list[str]]:
    """Return the rows of tables of Postgres as texts, in order."""
    with store.database.connect() as connection:
        return {
            table: sorted(row[0] for row in connection.execute(f"SELECT held::text FROM {table} AS held".encode()))
            for table in tables or TABLES
        }


def outs(store: Store) -> dict[str, pl.DataFrame]:
    """Return the aggregates, in order."""
    tables = [table for name, table in DATASETS.items() if name.startswith("out_") and not name.endswith("_base")]
    return {t.name: store.lake.read(t).sort(t.key) for t in tables if t is not OUT_CMCD_SESSIONS}
