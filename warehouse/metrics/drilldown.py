"""From a number to the sessions that make it: each with what it adds, and the way back to its payload.

What a metric is stands in `registry`; where sessions are read from is not known here.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl

from warehouse.datasets import CORE_SESSIONS
from warehouse.metrics import qoe
from warehouse.metrics.experience import experience_score
from warehouse.metrics.registry import METRICS

MOST = 25
_HIGHER_IS_BETTER = frozenset(metric.name for metric in METRICS.values() if metric.better == "higher")
_SHOWN = ("day", "tenant", "session_id", "started_at", "content_id", "stream_type", "outcome")
_MEASURES = ("startup_ms", "play_ms", "rebuffer_ms", "rebuffer_count", "seek_ms", "bitrate_bps", "error_count")


class _Terms(NamedTuple):
    """Numerator and denominator of a session, and the factor from their quotient to the metric's unit."""

    num: nw.Expr
    den: nw.Expr
    factor: float


def contributors(
    core: pl.DataFrame | pl.LazyFrame,
    metric: str,
    *,
    where: Mapping[str, str | None] | None = None,
    days: tuple[date, date] | None = None,
    limit: int | None = MOST,
) -> pl.DataFrame:
    """Return the sessions that make a number, those that make it worst first.

    `core` are rows of `CORE_SESSIONS`; `where` names columns with the value that they must have (None: not sent);
    `days` are the first and the last day; `limit` None gives all. Columns: `contribution`, ids, what was measured, the
    columns of `where`, and `ingest_id`: the row of `raw_sessions` that holds the payload.

    Where R is the metric over these sessions, a session contributes (num - R x den) / sum(den), in the metric's unit:
    by so much, nearly, R would change without it. Contributions add up to 0. Of a quantile `startup_ms_pXX` it is the
    session's own startup time, and only those at or above it are given; of `sessions` 1, of `play_hours` its hours.
    Raises ValueError for a metric or a column that is not known.
    """
    chosen = _choose(core.lazy(), where or {}, days)
    if metric.startswith("startup_ms_p"):
        found = _beyond(chosen, metric)
    elif metric in {"sessions", "play_hours"}:
        amount = pl.lit(1.0) if metric == "sessions" else pl.col("play_ms") / 3_600_000
        found = chosen.with_columns(contribution=amount).drop_nulls("contribution")
    else:
        found = _influence(chosen, metric)
    kept = dict.fromkeys((*_SHOWN, *(where or {}), *_MEASURES, "ingest_id"))
    order = ["contribution", "started_at", "ingest_id"]
    descending = [metric not in _HIGHER_IS_BETTER, True, True]
    ordered = found.select("contribution", *kept).sort(order, descending=descending)
    return (ordered if limit is None else ordered.head(limit)).collect()


def payloads(sessions: pl.DataFrame, raw: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Add `received_at` and `payload` of `raw`, rows of `RAW_SESSIONS`, to sessions of `contributors`."""
    sent = raw.lazy().select("day", "ingest_id", "received_at", "payload")
    wanted = sent.join(sessions.lazy().select("day", "ingest_id"), on=["day", "ingest_id"], how="semi")
    return sessions.join(wanted.collect(), on=["day", "ingest_id"], how="left", maintain_order="left")


def _choose(core: pl.LazyFrame, where: Mapping[str, str | None], days: tuple[date, date] | None) -> pl.LazyFrame:
    known = core.collect_schema().names()
    for name in where:
        if name not in known or name in CORE_SESSIONS.identifying:
            raise ValueError(f"{name!r} is no dimension of core_sessions: it has {', '.join(_dimensions(known))}")
    matching = [pl.col(name).eq_missing(pl.lit(value)) for name, value in where.items()]
    within = [pl.col("day").is_between(*days)] if days else []
    return core.filter(*matching, *within)


def _dimensions(known: Iterable[str]) -> list[str]:
    own = set(CORE_SESSIONS.columns) - {"content_id", "stream_type", "tenant"}
    return [name for name in known if name not in own]


def _beyond(chosen: pl.LazyFrame, metric: str) -> pl.LazyFrame:
    text = metric.removeprefix("startup_ms_p")
    if not text.isdigit() or not 0 < int(text) < 100:
        raise ValueError(f"unknown metric {metric!r}")
    measured = chosen.drop_nulls("startup_ms").with_columns(contribution=pl.col("startup_ms").cast(pl.Float64))
    # The nearest rank, without the rounding by which 0.95 x 20 may exceed 19.
    rank = (pl.len() * int(text) + 99) // 100
    return measured.filter(pl.col("startup_ms").rank("min", descending=True) <= pl.len() - rank + 1)


def _influence(chosen: pl.LazyFrame, metric: str) -> pl.LazyFrame:
    terms = _terms(metric)
    frame: Any = nw.from_native(chosen).with_columns(
        _num=nw.when(~terms.den.is_null()).then(terms.num).cast(nw.Float64()),
        _den=nw.when(~terms.num.is_null()).then(terms.den).cast(nw.Float64()),
    )
    entered: pl.LazyFrame = frame.to_native().drop_nulls(["_num", "_den"])
    num, den = pl.col("_num"), pl.col("_den")
    return entered.with_columns(contribution=terms.factor * (num - num.sum() / den.sum() * den) / den.sum())


def _terms(metric: str) -> _Terms:
    known = METRICS.get(metric)
    if known is None:
        raise ValueError(f"unknown metric {metric!r}")
    if known.kind == "proportion":
        hit = _outcome_in(known.hits)
        return _Terms(hit.cast(nw.Float64()), nw.when(_outcome_in(known.trials)).then(nw.lit(1.0)), 100.0)
    if known.kind == "ratio":
        return _Terms(*qoe.ratio_terms()[metric], known.terms.factor)
    columns = {"experience_score": experience_score(), "seeks_per_session": nw.col("seek_count")}
    value = columns.get(metric, nw.col(metric))
    return _Terms(value, nw.when(~value.is_null()).then(nw.lit(1.0)), 1.0)


def _outcome_in(counts: tuple[str, ...]) -> nw.Expr:
    """Return whether a session is in one of these counts of `OUT_QOE_DAILY`."""
    outcome = nw.col("outcome")
    return ~outcome.is_null() if "outcome_n" in counts else outcome.is_in([name.removesuffix("_n") for name in counts])
