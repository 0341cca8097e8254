"""Sessions landed into a store, for tests of what is built from them."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

from ingest.landing import Landing
from ingest.payloads import session
from warehouse.store import Store

FIRST = date(2026, 3, 1)
ARRIVAL = datetime(2026, 3, 10, tzinfo=UTC)


def body(number: int, day: date, **fields: object) -> dict[str, object]:
    start = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(seconds=number)
    return {
        "sessionId": f"s{number}",
        "sessionStartDateIso": start.isoformat(),
        "sessionDurationMs": 60_000,
        "startupTimeMs": 500 + number,
        "rebufferTimeMs": 1_000,
        "rebufferCount": 1,
        "playTimeMs": 50_000,
        "errorCount": 0,
        "contentId": f"title-{number % 3}",
        "appVersion": "1.0",
    } | fields


def land(store: Store, bodies: list[dict[str, object]], now: datetime = ARRIVAL) -> None:
    async def run() -> None:
        async with Landing.open(store.settings, store.database, store.lake) as landing:
            await landing.land(
                [session.accept(json.dumps(b).encode(), tenant="default", now=now).record for b in bodies]
            )
            await landing.seal()

    asyncio.run(run())


def land_days(store: Store, days: int = 3, per_day: int = 40) -> None:
    land(store, [body(d * per_day + n, FIRST + timedelta(days=d)) for d in range(days) for n in range(per_day)])
