"""Asset checks of live streams, player events and CMCD: what must be true of their tables, read anew."""

from collections.abc import Sequence

import dagster as dg
import polars as pl

from pipelines import freshness
from warehouse import building
from warehouse.datasets import Dataset
from warehouse.datasets.cmcd import CORE_CMCD, OUT_CMCD_SESSIONS, RAW_CMCD
from warehouse.datasets.events import CORE_EVENTS, CORE_WATCHED_SECONDS, OUT_ENGAGEMENT, RAW_EVENTS
from warehouse.datasets.live import (
    CORE_CHAT,
    CORE_STREAMS,
    CORE_VIEWERS,
    OUT_CHAT_MINUTE,
    RAW_CHAT,
    RAW_STREAMS,
    RAW_VIEWERS,
)
from warehouse.derivations.derivation import Derivation
from warehouse.derivations.live import (
    CHAT,
    CMCD,
    CMCD_SESSIONS,
    ENGAGEMENT,
    EVENTS,
    MINUTES,
    STREAMS,
    VIEWERS,
)
from warehouse.store import Store

_Sums = dict[object, tuple[int, ...]]

_TYPED: tuple[tuple[Dataset, Dataset, Derivation], ...] = (
    (RAW_STREAMS, CORE_STREAMS, STREAMS),
    (RAW_CHAT, CORE_CHAT, CHAT),
    (RAW_VIEWERS, CORE_VIEWERS, VIEWERS),
    (RAW_EVENTS, CORE_EVENTS, EVENTS),
    (RAW_CMCD, CORE_CMCD, CMCD),
)
"""Core tables of one row an id, each with what it is made from."""

_ADDED: tuple[tuple[Dataset, Sequence[Dataset], Sequence[Derivation]], ...] = (
    (OUT_CHAT_MINUTE, (RAW_CHAT, RAW_VIEWERS), (CHAT, VIEWERS, MINUTES)),
    (OUT_ENGAGEMENT, (RAW_EVENTS,), (EVENTS, ENGAGEMENT)),
    (OUT_CMCD_SESSIONS, (RAW_CMCD,), (CMCD, CMCD_SESSIONS)),
)
"""Out tables with the raw ones that they come from, and the steps between."""


def _unique(core: Dataset) -> dg.AssetChecksDefinition:
    key = tuple(dict.fromkeys((core.partition, *core.key)))

    @dg.asset_check(asset=core.name, name="keys_unique", description=f"One row a {', '.join(key)}")
    def keys_unique(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
        groups = store.lake.scan(core).group_by(key).len()
        repeated = groups.filter(pl.col("len") > 1).select(pl.len()).collect(engine="streaming").item()
        return dg.AssetCheckResult(passed=repeated == 0, metadata={"repeated_keys": repeated})

    return keys_unique


def _reconciled(raw: Dataset, core: Dataset, step: Derivation) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=core.name,
        name="counts_reconcile",
        description="On every built day: as many rows as raw has ids, leaving out what Postgres refused",
    )
    def counts_reconcile(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
        ids = [name for name in core.key if name != "day"]
        sound = store.lake.scan(raw).filter(pl.col("refused").is_null())
        landed = _by_day(sound.group_by("day").agg(pl.struct(ids).n_unique()))
        return _compared(store, [step], landed, _by_day(store.lake.scan(core).group_by("day").len()))

    return counts_reconcile


def _fresh(out: Dataset, raw: Sequence[Dataset], steps: Sequence[Derivation]) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=out.name, name="fresh", description="Nothing that has landed waits longer than two hours to be added up"
    )
    def fresh(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
        return freshness.fresh(store, out, raw, steps)

    return fresh


@dg.asset_check(
    asset=OUT_CHAT_MINUTE.name,
    name="minutes_add_up",
    description="Messages and samples of the minutes equal those of core, day by day; Postgres holds the same",
)
def minutes_add_up(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Compare the sums with the messages and samples that they stand for."""
    messages = _by_day(store.lake.scan(CORE_CHAT).group_by("day").len())
    samples = _by_day(store.lake.scan(CORE_VIEWERS).group_by("day").len())
    core = {day: (*messages.get(day, (0,)), *samples.get(day, (0,))) for day in messages.keys() | samples.keys()}
    sums = store.lake.scan(OUT_CHAT_MINUTE).group_by("day").agg(pl.col("chat_count", "viewer_n").sum())
    published = _published(
        store, "SELECT day, sum(chat_count)::bigint, sum(viewer_n)::bigint FROM out_chat_minute GROUP BY day"
    )
    return _compared(store, [CHAT, VIEWERS, MINUTES], core, _by_day(sums), published)


@dg.asset_check(
    asset=OUT_ENGAGEMENT.name,
    name="seconds_add_up",
    description="Seconds watched of the curves equal those of viewers, day by day; Postgres holds the same",
)
def seconds_add_up(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Compare the totals of titles with the seconds that viewers watched."""
    seconds = _by_day(store.lake.scan(CORE_WATCHED_SECONDS).group_by("day").agg(pl.col("count").sum()))
    totals = store.lake.scan(OUT_ENGAGEMENT).filter(pl.col("second") == 0)
    sums = _by_day(totals.group_by("day").agg(pl.col("watches_sum").sum()))
    published = _published(
        store, "SELECT day, sum(watches_sum)::bigint FROM out_engagement WHERE second = 0 GROUP BY day"
    )
    return _compared(store, [EVENTS, ENGAGEMENT], seconds, sums, published)


def _by_day(counts: pl.LazyFrame) -> _Sums:
    return {day: tuple(rest) for day, *rest in counts.collect().iter_rows()}


def _published(store: Store, query: str) -> _Sums:
    with store.database.connect() as connection:
        return {day: tuple(rest) for day, *rest in connection.execute(query.encode()).fetchall()}


def _compared(store: Store, steps: Sequence[Derivation], expected: _Sums, *found: _Sums) -> dg.AssetCheckResult:
    """Check that days hold the same sums everywhere; days that wait to be built are left out."""
    stale = set(building.stale_days(store, *steps))
    days = {day for sums in (expected, *found) for day in sums} - stale
    wrong = {
        str(day): ", ".join(str(sums.get(day)) for sums in (expected, *found))
        for day in sorted(days, key=str)
        if any(sums.get(day) != expected.get(day) for sums in found)
    }
    return dg.AssetCheckResult(passed=not wrong, metadata={"days_checked": len(days), "wrong_days": wrong})


CHECKS = [
    *(_unique(core) for _, core, _ in _TYPED),
    *(_reconciled(*typed) for typed in _TYPED),
    *(_fresh(*added) for added in _ADDED),
    minutes_add_up,
    seconds_add_up,
]
