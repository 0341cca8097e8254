"""Which table is derived from which, and by what: described once, for builds, staleness, jobs, rebuild and checks.

What a computation means is in `warehouse.metrics`; reading, replacing and recording are in `warehouse.building`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import psycopg

from warehouse import watchers
from warehouse.cmcd_datasets import CORE_CMCD, OUT_CMCD_SESSIONS, RAW_CMCD
from warehouse.datasets import (
    CORE_SESSIONS,
    CORE_SESSIONS_QUARANTINE,
    OUT_QOE_DAILY,
    OUT_QOE_DAILY_BASE,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_DAILY_BASE,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HISTOGRAM_HOURLY_BASE,
    OUT_QOE_HOURLY,
    OUT_QOE_HOURLY_BASE,
    RAW_SESSIONS,
    Dataset,
)
from warehouse.engines import Engine
from warehouse.event_datasets import CORE_EVENTS, CORE_WATCHED_SECONDS, OUT_ENGAGEMENT, OUT_ENGAGEMENT_BASE, RAW_EVENTS
from warehouse.live_datasets import (
    CORE_CHAT,
    CORE_STREAMS,
    CORE_VIEWERS,
    OUT_CHAT_MINUTE,
    OUT_CHAT_MINUTE_BASE,
    OUT_MOMENTS,
    OUT_MOMENTS_BASE,
    RAW_CHAT,
    RAW_STREAMS,
    RAW_VIEWERS,
)
from warehouse.metrics import (
    chat,
    cmcd,
    engagement,
    events,
    histogram,
    live_bins,
    moment_rows,
    progress_daily,
    qoe,
    sessions,
    streams,
    watch_descriptions,
    watches,
    watching,
)
from warehouse.metrics.sentiment import Sentiment, default_emotes
from warehouse.providers import described
from warehouse.settings import StorageSettings
from warehouse.watch_datasets import CORE_WATCHES, OUT_PROGRESS_DAILY, RAW_METADATA, RAW_WATCHES

Frames = Mapping[str, pl.DataFrame]
"""Rows by the name of their dataset."""

CONTROL = "control"
"""The name of the rows that a derivation reads beside its sources."""


Aggregate = Callable[[Any, Mapping[str, str], Dataset], Any]
"""From source rows of any engine, unread, the configured dimensions and a target to the target's rows."""

Late = Callable[[Frames, Frames], Frames]
"""From the rows of bases and those computed of the same days to what of the latter is added."""


@dataclass(frozen=True)
class Computed:
    """What a computation made: the rows of every target, and how many source rows of each day newer ones replaced."""

    frames: Frames
    superseded: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Derivation:
    """One step from source tables to derived ones.

    `compute` gets the source rows of some whole days and returns the targets' rows of the same days. With `whole` it
    gets all days at once, for a source row may shape any day; only target days whose rows differ are replaced then.
    Steps of one `family` are refreshed by one job.

    `control` reads what users set and no raw row tells; `compute` finds it as `CONTROL`, and a change of it makes every
    day stale. A step of one source may have `aggregates` in place of `compute`, one for each target, which any engine
    can compute. The last targets may have `bases`: what expired source rows contributed is kept there, and added.
    Where rows do not add up, `late` says what of the rows computed of a day with bases stands beside theirs.
    With `days_before`, `compute` is also given so many days before each, a change of which makes the day stale; what it
    returns of those is left out.
    """

    family: str
    sources: tuple[Dataset, ...]
    targets: tuple[Dataset, ...]
    compute: Callable[[Frames, StorageSettings], Computed] | None = None
    whole: bool = False
    aggregates: tuple[Aggregate, ...] = ()
    bases: tuple[Dataset, ...] = ()
    late: Late | None = None
    control: Callable[[psycopg.Connection, StorageSettings], pl.DataFrame] | None = None
    days_before: int = 0

    @property
    def based(self) -> tuple[tuple[Dataset, Dataset], ...]:
        """The targets that have a base, each with it."""
        return tuple(zip(self.targets[len(self.targets) - len(self.bases) :], self.bases, strict=True))

    @property
    def recorded(self) -> Dataset:
        """The target under which builds are recorded."""
        return self.targets[0]

    def aggregated(self, engine: Engine, rows: Any, dimensions: Mapping[str, str]) -> dict[str, pl.DataFrame]:
        """Return what the engine makes of source rows of its own kind: the rows of each target."""
        asked = [aggregate(rows, dimensions, t) for t, aggregate in zip(self.targets, self.aggregates, strict=True)]
        return dict(zip((target.name for target in self.targets), engine.collect(asked), strict=True))


def _core_sessions(sources: Frames, settings: StorageSettings) -> Computed:
    built = sessions.build_core(sources[RAW_SESSIONS.name], settings.dimensions)
    core, told = built.core, sources[RAW_EVENTS.name]
    if not told.is_empty():
        core = watching.merge(core, watching.build_sessions(events.build_core(told)))
    return Computed({CORE_SESSIONS.name: core, CORE_SESSIONS_QUARANTINE.name: built.quarantine}, built.superseded)


def _zones(connection: psycopg.Connection, settings: StorageSettings) -> pl.DataFrame:
    return watchers.zones(connection, settings.time_zone)


def _core_watches(sources: Frames, _settings: StorageSettings) -> Computed:
    metadata = watch_descriptions.newest(described.metadata(sources[RAW_METADATA.name]))
    found = watch_descriptions.core(sources[RAW_WATCHES.name], metadata)
    *own, (_, _, default) = sources[CONTROL].iter_rows()
    zones = {(tenant, user_id): zone for tenant, user_id, zone in own}
    return Computed({CORE_WATCHES.name: watches.place(found, zones, default)})


def _progress_daily(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({OUT_PROGRESS_DAILY.name: progress_daily.aggregate(sources[CORE_WATCHES.name])})


def _core_events(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({CORE_EVENTS.name: events.build_core(sources[RAW_EVENTS.name])})


def _engagement(sources: Frames, _settings: StorageSettings) -> Computed:
    core = sources[CORE_EVENTS.name]
    pieces = engagement.segments(core)
    seconds, curves = engagement.watched_seconds(pieces), engagement.aggregate(core, pieces)
    return Computed({CORE_WATCHED_SECONDS.name: seconds, OUT_ENGAGEMENT.name: curves})


def _core_streams(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({CORE_STREAMS.name: streams.build_streams(sources[RAW_STREAMS.name])})


def _core_chat(sources: Frames, settings: StorageSettings) -> Computed:
    return Computed(
        {CORE_CHAT.name: streams.build_chat(sources[RAW_CHAT.name], Sentiment(default_emotes() | settings.emotes))}
    )


def _core_viewers(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({CORE_VIEWERS.name: streams.build_viewers(sources[RAW_VIEWERS.name])})


def _minutes(sources: Frames, _settings: StorageSettings) -> Computed:
    messages, viewers = sources[CORE_CHAT.name], sources[CORE_VIEWERS.name]
    days = sorted({*messages["day"].unique(), *viewers["day"].unique()})
    bins = live_bins.bins(messages, viewers)
    found, judged = zip(*(moment_rows.detect(bins, day) for day in days), strict=True) if days else ((), ())
    minutes = chat.minutes(messages, viewers, pl.concat([*judged, moment_rows.NO_SCORES]))
    return Computed({OUT_CHAT_MINUTE.name: minutes, OUT_MOMENTS.name: pl.concat([*found, moment_rows.NO_MOMENTS])})


def _late_minutes(held: Frames, computed: Frames) -> Frames:
    """Minutes without a row are added, unjudged, for their baseline has expired; of moments, nothing."""
    minutes = computed[OUT_CHAT_MINUTE.name].join(held[OUT_CHAT_MINUTE.name], on=OUT_CHAT_MINUTE.key, how="anti")
    unjudged = minutes.with_columns(z_score=pl.lit(None, pl.Float64), is_anomaly=pl.lit(value=False))
    return {OUT_CHAT_MINUTE.name: unjudged, OUT_MOMENTS.name: moment_rows.NO_MOMENTS}


def _core_cmcd(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({CORE_CMCD.name: cmcd.build_core(sources[RAW_CMCD.name])})


def _cmcd_sessions(sources: Frames, _settings: StorageSettings) -> Computed:
    return Computed({OUT_CMCD_SESSIONS.name: cmcd.sessions(sources[CORE_CMCD.name])})


SESSIONS = Derivation("qoe", (RAW_SESSIONS, RAW_EVENTS), (CORE_SESSIONS, CORE_SESSIONS_QUARANTINE), _core_sessions)
QOE_DAILY = Derivation(
    "qoe",
    (CORE_SESSIONS,),
    (OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY),
    aggregates=(partial(qoe.aggregate, in_order=True), histogram.aggregate),
    bases=(OUT_QOE_DAILY_BASE, OUT_QOE_HISTOGRAM_DAILY_BASE),
)
QOE_HOURLY = replace(
    QOE_DAILY,
    targets=(OUT_QOE_HOURLY, OUT_QOE_HISTOGRAM_HOURLY),
    bases=(OUT_QOE_HOURLY_BASE, OUT_QOE_HISTOGRAM_HOURLY_BASE),
)
WATCHES = Derivation(
    "progress", (RAW_WATCHES, RAW_METADATA), (CORE_WATCHES,), _core_watches, whole=True, control=_zones
)
PROGRESS_DAILY = Derivation("progress", (CORE_WATCHES,), (OUT_PROGRESS_DAILY,), _progress_daily, whole=True)
EVENTS = Derivation("events", (RAW_EVENTS,), (CORE_EVENTS,), _core_events)
ENGAGEMENT = Derivation(
    "events",
    (CORE_EVENTS,),
    (CORE_WATCHED_SECONDS, OUT_ENGAGEMENT),
    _engagement,
    bases=(OUT_ENGAGEMENT_BASE,),
)
STREAMS = Derivation("live", (RAW_STREAMS,), (CORE_STREAMS,), _core_streams)
CHAT = Derivation("live", (RAW_CHAT,), (CORE_CHAT,), _core_chat)
VIEWERS = Derivation("live", (RAW_VIEWERS,), (CORE_VIEWERS,), _core_viewers)
MINUTES = Derivation(
    "live",
    (CORE_CHAT, CORE_VIEWERS),
    (OUT_CHAT_MINUTE, OUT_MOMENTS),
    _minutes,
    bases=(OUT_CHAT_MINUTE_BASE, OUT_MOMENTS_BASE),
    late=_late_minutes,
    days_before=1,
)
CMCD = Derivation("cmcd", (RAW_CMCD,), (CORE_CMCD,), _core_cmcd)
CMCD_SESSIONS = Derivation("cmcd", (CORE_CMCD,), (OUT_CMCD_SESSIONS,), _cmcd_sessions)
_LIVE = (EVENTS, ENGAGEMENT, STREAMS, CHAT, VIEWERS, MINUTES, CMCD, CMCD_SESSIONS)

DERIVATIONS = (SESSIONS, QOE_DAILY, QOE_HOURLY, WATCHES, PROGRESS_DAILY, *_LIVE)
"""Every step, sources before what is derived from them."""

FAMILIES = tuple(dict.fromkeys(step.family for step in DERIVATIONS))


def steps_of(family: str) -> tuple[Derivation, ...]:
    """Return the steps of a family, in order."""
    return tuple(step for step in DERIVATIONS if step.family == family)


def producers(step: Derivation) -> tuple[Derivation, ...]:
    """Return the steps that the sources of a step are made by."""
    return tuple(maker for maker in DERIVATIONS if any(target in step.sources for target in maker.targets))


def roots(step: Derivation) -> tuple[Dataset, ...]:
    """Return the raw tables that a step is made from, by way of others or at once."""
    makers = producers(step)
    return tuple(table for maker in makers for table in roots(maker)) if makers else step.sources
