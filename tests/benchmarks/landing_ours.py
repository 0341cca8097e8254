"""The endpoint of the landing benchmark: the real one, and beside it a route that does everything but store.

Argument: the port; settings are those of the environment.
"""

import sys
from typing import Any

from litestar import Litestar, Request, get, post
from litestar.datastructures import State

from ingest import bodies, server
from ingest.guards import LAND, require
from ingest.observer import Observer
from ingest.payloads import session
from ingest.routes.sessions import SessionLanded
from ingest.settings import IngestSettings
from warehouse.access.keys import KeyRecord
from warehouse.settings import StorageSettings

UNSTORED = "/benchmark/unstored"
LAGS = "/benchmark/lags"


@post(UNSTORED, status_code=200, guards=[require(LAND, limited=True)])
async def unstored(request: Request[Any, KeyRecord, State]) -> SessionLanded:
    """Do what `/v1/sessions` does, and store nothing."""
    state = request.app.state
    body = await bodies.read(request, state.settings.session_limit)
    accepted = session.accept(body, tenant=request.auth.tenant, now=state.storage.now())
    state.metrics.sessions.inc()
    return SessionLanded("success", accepted.session_id)


@get(LAGS, sync_to_thread=False)
def lags(state: State) -> list[float]:
    """Return the seconds that the oldest record of each statement waited for Postgres, and forget them."""
    taken = list(state.lags)
    del state.lags[: len(taken)]
    return taken


def application(settings: IngestSettings, storage: StorageSettings) -> Litestar:
    """Return the endpoint with the benchmark's routes."""
    app = server.application(settings, storage)
    app.register(unstored)
    app.register(lags)
    app.state.direct.add(UNSTORED)
    app.state.lags = []
    own = app.state.metrics.observer()

    def followed(records: int, seconds: float, lag_s: float) -> None:
        own.followed(records, seconds, lag_s)
        app.state.lags.append(lag_s)

    app.state.metrics.observer = lambda: Observer(own.appended, followed, own.sealed)
    return app


if __name__ == "__main__":
    settings = IngestSettings.from_environ(port=int(sys.argv[1]))
    server.serve(settings, StorageSettings.from_environ(), make=application)
