"""The application: wiring only. It starts, and lands, also while Postgres is away."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

import psycopg
import sqlalchemy.exc
import structlog
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State

from ingest import background, basic, error_answers, limits
from ingest.caching import Cache
from ingest.direct import Direct
from ingest.guards import Keys
from ingest.hub import Hub
from ingest.landing import Landing
from ingest.metrics import Metrics
from ingest.observing import Observing
from ingest.outbox_sealer import OutboxSealer
from ingest.routes import (
    analytics,
    batches,
    events,
    live,
    openapi,
    ops,
    progress,
    sessions,
    streams,
    sync,
    watching,
)
from ingest.settings import IngestSettings
from warehouse.live import state as live_state
from warehouse.metrics.sentiment import Sentiment, default_emotes
from warehouse.postgres import prepare
from warehouse.providers.catalog import Catalog
from warehouse.settings import StorageSettings
from warehouse.store import open_store

PREPARE_S = 1.0
"""Between two attempts to migrate while Postgres is away."""

SAMPLE_S = 1.0

_log = structlog.get_logger("ingest")


class PlainState(State):
    """State whose values lie among its attributes: Litestar's looks for each in vain before it looks where they are."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.__dict__.update(values)
        object.__setattr__(self, "_state", self.__dict__)


def create_app(settings: IngestSettings, storage: StorageSettings) -> Litestar:
    """Return the endpoint; storage is opened when it starts, and migrated as soon as Postgres answers."""
    metrics = Metrics()
    state = PlainState(
        {
            "settings": settings,
            "storage": storage,
            "metrics": metrics,
            "api_keys": Keys(settings.api_key),
            "batch_turns": batches.Turns(),
            "users": basic.Users(settings.users),
            "version": version("playhead"),
            "sentiment": Sentiment(default_emotes() | storage.emotes),
            "cache": Cache(settings.redis_url),
        }
    )
    tracker = [sync.sync_episodes, sync.sync_movies, sync.sync_videos, sync.sync_podcasts, sync.put_show]
    reading = [sync.list_shows, progress.progress, progress.details, progress.export]
    handlers = [sessions.land_session, batches.land_sessions, ops.health, ops.live, ops.ready, ops.index, ops.live_page]
    landing = [streams.land_stream, streams.land_chat, streams.land_viewers, events.land_events, events.land_beacons]
    telemetra = [live.live_health, live.list_streams, live.stream_metrics, live.stream_moments]
    players = [analytics.video_metrics, analytics.dashboard]
    sockets = [watching.issue_ticket, watching.live_connections, watching.watch_stream, watching.watch_players]
    if settings.enable_metrics:
        handlers.append(ops.metrics)
    app = Litestar(
        route_handlers=[
            *(*handlers, *landing, *telemetra, *players, *sockets, *tracker, *reading),
            *(openapi.document, openapi.redoc, openapi.assets()),
        ],
        state=state,
        lifespan=[_landing],
        exception_handlers={**error_answers.HANDLERS, **basic.HANDLERS},
        cors_config=CORSConfig(
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "OPTIONS"],
            allow_headers=["Authorization", "Content-Type"],
        ),
        openapi_config=openapi.config(state.version),
        request_max_body_size=settings.session_limit,
        logging_config=None,
    )
    state.direct = Direct(app, app.asgi_handler)
    state.direct.add("/v1/sessions")
    app.asgi_handler = Observing(state.direct, metrics)
    return app


@asynccontextmanager
async def _landing(app: Litestar) -> AsyncIterator[None]:
    """Open the storage, load the keys, land until the application stops."""
    state = app.state
    with open_store(state.storage, migrate=False) as store:
        state.database = store.database
        state.prepared = _prepare(state)
        observer = state.metrics.observer()
        state.limiter = limits.shared(state.settings, store.database.libpq_url)
        state.hub = Hub(store.database, store.settings.now)
        state.read_streams = partial(live_state.read, sentiment=state.sentiment)
        state.outbox = OutboxSealer(store.database, store.lake)
        async with (
            Catalog.open(state.settings.providers, now=state.storage.now) as state.catalog,
            Landing.open(store.settings, store.database, store.lake, observer=observer) as state.landing,
        ):
            tasks = [
                background.spawn("keys", state.api_keys.keep_loaded(store.database, state.users.load)),
                background.spawn("leases", state.limiter.keep_shared()),
                background.spawn("gauges", _sample(state)),
                background.spawn("outbox", state.outbox.run()),
                background.spawn("hub", state.hub.run()),
                background.spawn("preparing", _until_prepared(state)),
            ]
            try:
                yield
            finally:
                await background.cancel(tasks)
                await state.limiter.close()
                state.users.close()
                await state.cache.close()


def _prepare(state: State) -> bool:
    """Migrate and load the keys; False while Postgres is away."""
    try:
        prepare(state.database, state.storage)
        state.api_keys.load(state.database)
        state.users.load(state.database)
    except (psycopg.OperationalError, sqlalchemy.exc.OperationalError) as error:
        _log.error("Postgres does not answer: sessions are kept until it does", reason=str(error).strip())
        return False
    return True


async def _until_prepared(state: State) -> None:
    while not state.prepared:
        await asyncio.sleep(PREPARE_S)
        state.prepared = await background.aside(partial(_prepare, state))


async def _sample(state: State) -> None:
    """Keep the gauges current for the other workers, any of which may be asked for the metrics."""
    while True:
        state.metrics.sample(state.landing, state.database)
        await asyncio.sleep(SAMPLE_S)
