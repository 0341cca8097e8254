"""Every lake table: its schema, key, partition and the unit of each column. Each kind has a module of its own.

What fills a table is computed in `warehouse.metrics`; how it is stored is in `warehouse.lake`. Units stand in the
names: `_ms`, `_bps`, `_at` (UTC), `_pct` (0-100), `_ratio` (0-1).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache

from warehouse.datasets.cmcd import CMCD_DATASETS
from warehouse.datasets.dataset import INSTANT as INSTANT
from warehouse.datasets.dataset import Dataset as Dataset
from warehouse.datasets.events import EVENT_DATASETS
from warehouse.datasets.live import LIVE_DATASETS
from warehouse.datasets.qoe import CONTENT_DIMENSION as CONTENT_DIMENSION
from warehouse.datasets.qoe import COUNTS as COUNTS
from warehouse.datasets.qoe import HISTOGRAM_METRICS as HISTOGRAM_METRICS
from warehouse.datasets.qoe import MEANS as MEANS
from warehouse.datasets.qoe import OUT_QOE_DAILY as OUT_QOE_DAILY
from warehouse.datasets.qoe import OUT_QOE_DAILY_BASE as OUT_QOE_DAILY_BASE
from warehouse.datasets.qoe import OUT_QOE_HISTOGRAM_DAILY as OUT_QOE_HISTOGRAM_DAILY
from warehouse.datasets.qoe import OUT_QOE_HISTOGRAM_DAILY_BASE as OUT_QOE_HISTOGRAM_DAILY_BASE
from warehouse.datasets.qoe import OUT_QOE_HISTOGRAM_HOURLY as OUT_QOE_HISTOGRAM_HOURLY
from warehouse.datasets.qoe import OUT_QOE_HISTOGRAM_HOURLY_BASE as OUT_QOE_HISTOGRAM_HOURLY_BASE
from warehouse.datasets.qoe import OUT_QOE_HOURLY as OUT_QOE_HOURLY
from warehouse.datasets.qoe import OUT_QOE_HOURLY_BASE as OUT_QOE_HOURLY_BASE
from warehouse.datasets.qoe import OUTCOMES as OUTCOMES
from warehouse.datasets.qoe import RATIOS as RATIOS
from warehouse.datasets.qoe import SCALE as SCALE
from warehouse.datasets.qoe import Ratio as Ratio
from warehouse.datasets.sessions import CORE_SESSIONS as CORE_SESSIONS
from warehouse.datasets.sessions import CORE_SESSIONS_QUARANTINE as CORE_SESSIONS_QUARANTINE
from warehouse.datasets.sessions import RAW_SESSIONS as RAW_SESSIONS
from warehouse.datasets.watches import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES

METRICS_VERSION = 1
"""Raise when a formula in `warehouse.metrics` changes: every partition built by another version is stale."""

DATASETS = {
    dataset.name: dataset
    for dataset in (
        RAW_SESSIONS,
        CORE_SESSIONS,
        CORE_SESSIONS_QUARANTINE,
        OUT_QOE_DAILY,
        OUT_QOE_HISTOGRAM_DAILY,
        OUT_QOE_HOURLY,
        OUT_QOE_HISTOGRAM_HOURLY,
        OUT_QOE_DAILY_BASE,
        OUT_QOE_HISTOGRAM_DAILY_BASE,
        OUT_QOE_HOURLY_BASE,
        OUT_QOE_HISTOGRAM_HOURLY_BASE,
        RAW_WATCHES,
        RAW_METADATA,
        CORE_WATCHES,
        OUT_PROGRESS_DAILY,
        *EVENT_DATASETS,
        *LIVE_DATASETS,
        *CMCD_DATASETS,
    )
}


def definition_version(dimensions: Mapping[str, str], emotes: Mapping[str, float] | None = None) -> str:
    """Return a short hash of what shapes derived tables: schemas, metrics, configured dimensions and emotes."""
    shape = {
        "metrics": METRICS_VERSION,
        "dimensions": dict(dimensions),
        "emotes": dict(emotes or {}),
        "schemas": _schemas(),
    }
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]


@cache
def _schemas() -> dict[str, dict[str, str]]:
    return {d.name: {column: str(dtype) for column, dtype in d.schema().items()} for d in DATASETS.values()}
