"""What `/metrics` shows, for Prometheus. The names of the first five are a contract with users' dashboards.

Each application has a registry of its own; several workers share theirs through the files of
`PROMETHEUS_MULTIPROC_DIR`, which `ingest.server` sets.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.landing import Landing
from ingest.observer import Observer
from warehouse.postgres import Database

SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Metrics:
    """Every metric of one application."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.requests = Counter(
            "http_server_requests", "Requests by endpoint and status", ["method", "endpoint", "status"], registry=own
        )
        self.request_seconds = Histogram(
            "http_server_request_duration_seconds",
            "Time to answer",
            ["method", "endpoint"],
            buckets=SECONDS,
            registry=own,
        )
        self.pool_active = _gauge("db_connection_pool_active", "Connections in use", "livesum", own)
        self.query_seconds = Histogram(
            "db_query_duration_seconds", "Time of a statement on landed batches", buckets=SECONDS, registry=own
        )
        self.sessions = Counter("sessions_ingested", "Sessions acknowledged, resends included", registry=own)
        self.backlog = _gauge("landing_backlog", "Records on disk that Postgres has not followed", "livesum", own)
        self.waiting = _gauge("landing_queue_depth", "Requests that wait for the disk", "livesum", own)
        self.lag = _gauge("landing_lag_seconds", "Age of the oldest record not followed", "livemax", own)
        self.unsealed = _gauge("landing_unsealed_segments", "Segments not in the raw tables yet", "livesum", own)
        self.quarantined = _gauge("landing_quarantined_rows", "Rows that Postgres refused", "livesum", own)
        self.batch = Histogram("journal_batch_records", "Records of one append", buckets=RECORDS, registry=own)
        self.followed_lag = Histogram(
            "follower_lag_seconds", "From disk to Postgres, the oldest record of a batch", buckets=SECONDS, registry=own
        )
        self.sealed = Counter("landing_sealed_segments", "Segments appended to the raw tables", registry=own)

    def observer(self) -> Observer:
        """Return what the landing calls."""
        return Observer(appended=self.batch.observe, followed=self._followed, sealed=lambda _: self.sealed.inc())

    def sample(self, landing: Landing, database: Database) -> None:
        """Set the gauges to what holds now."""
        self.pool_active.set(database.engine.pool.checkedout())  # type: ignore[attr-defined]
        self.backlog.set(landing.backlog)
        self.waiting.set(landing.waiting)
        self.lag.set(landing.lag_s())
        self.unsealed.set(landing.unsealed)
        self.quarantined.set(landing.quarantined)

    def render(self) -> bytes:
        """Return the exposition text, of all workers where there are several."""
        if SHARED not in os.environ:
            return generate_latest(self.registry)
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(shared)

    def _followed(self, _records: int, seconds: float, lag_s: float) -> None:
        self.query_seconds.observe(seconds)
        self.followed_lag.observe(lag_s)


def _gauge(name: str, comment: str, mode: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, comment, multiprocess_mode=mode, registry=registry)  # type: ignore[arg-type]
