"""The steps of player events, live streams and CMCD: which table is derived from which, and by what.

What a computation means is in `warehouse.metrics`; the steps of sessions and watches are in `derivations`.
"""

import polars as pl

from warehouse.datasets.cmcd import CORE_CMCD, OUT_CMCD_SESSIONS, RAW_CMCD
from warehouse.datasets.events import CORE_EVENTS, CORE_WATCHED_SECONDS, OUT_ENGAGEMENT, OUT_ENGAGEMENT_BASE, RAW_EVENTS
from warehouse.datasets.live import (
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
from warehouse.derivations.derivation import Computed, Derivation, Frames
from warehouse.metrics import chat, cmcd, engagement, events, live_bins, moment_rows, streams
from warehouse.metrics.sentiment import Sentiment, default_emotes
from warehouse.settings import StorageSettings


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


EVENTS = Derivation("events", (RAW_EVENTS,), (CORE_EVENTS,), _core_events)
ENGAGEMENT = Derivation(
    "events", (CORE_EVENTS,), (CORE_WATCHED_SECONDS, OUT_ENGAGEMENT), _engagement, bases=(OUT_ENGAGEMENT_BASE,)
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

LIVE = (EVENTS, ENGAGEMENT, STREAMS, CHAT, VIEWERS, MINUTES, CMCD, CMCD_SESSIONS)
"""Every such step, sources before what is derived from them."""
