"""Which table can answer what is asked of a slice, and the answer: behind `warehouse.metrics.qoe.slice`.

The numbers are read by `qoe_summary` and `histogram`, whichever table they come from. Nothing is read from disk here:
tables are frames, or whatever hands them out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from warehouse.datasets import (
    CONTENT_DIMENSION,
    CORE_SESSIONS,
    OUT_QOE_DAILY,
    OUT_QOE_HISTOGRAM_DAILY,
    OUT_QOE_HISTOGRAM_HOURLY,
    OUT_QOE_HOURLY,
    Dataset,
)
from warehouse.metrics import histogram, qoe_summary
from warehouse.metrics.registry import ESTIMATES, METRICS
from warehouse.metrics.slices import OTHER

Aggregate = Callable[[pl.LazyFrame, Mapping[str, str]], pl.LazyFrame]

_PERIODS = {
    "day": pl.col("day"),
    "week": pl.col("day").dt.truncate("1w"),
    "month": pl.col("day").dt.truncate("1mo"),
}
_HOUR = pl.col("started_at").dt.truncate("1h")
_CONTENT = frozenset({"content_id", "stream_type"})
_EVERYWHERE = frozenset({*_PERIODS, "hour", "tenant"})


class Tables(Protocol):
    """Whatever hands out tables as lazy frames: `warehouse.lake.Lake`, or `Frames`."""

    def scan(self, dataset: Dataset) -> pl.LazyFrame:
        """Return the rows of a dataset."""


@dataclass(frozen=True)
class Frames:
    """Tables by name, as frames that are already there."""

    tables: Mapping[str, pl.DataFrame | pl.LazyFrame]

    def scan(self, dataset: Dataset) -> pl.LazyFrame:
        """Return the rows of a dataset. Raises KeyError where it was not given."""
        return self.tables[dataset.name].lazy()


@dataclass(frozen=True)
class Slice:
    """The answer: `frame` is [*by, metric, value, low, high, n], sorted by `by`, metrics as they were asked for.

    `source` names the table that was summed, `reason` says why that one.
    """

    frame: pl.DataFrame
    source: str
    reason: str


@dataclass(frozen=True)
class Question:
    """What is asked: groups, predicates that all hold, metrics."""

    by: tuple[str, ...]
    where: tuple[pl.Expr, ...]
    metrics: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.metrics if name not in ESTIMATES]
        if unknown:
            raise ValueError(f"no metric of a slice: {', '.join(unknown)}")

    @property
    def columns(self) -> list[str]:
        """Every column that is asked for or tested, once."""
        tested = [name for predicate in self.where for name in predicate.meta.root_names()]
        return list(dict.fromkeys([*self.by, *tested]))

    @property
    def of_periods(self) -> list[pl.Expr]:
        """The predicates of days and tenants alone."""
        return [predicate for predicate in self.where if set(predicate.meta.root_names()) <= _EVERYWHERE - {"hour"}]


def answer(tables: Tables, question: Question, aggregate: Aggregate) -> Slice:
    """Answer from the sums where they suffice, else from core, summed by `aggregate`."""
    names = [name for name in question.columns if name not in _EVERYWHERE]
    reason = _insufficient(tables, names, question)
    if reason is not None:
        return _from_core(tables, question, aggregate, reason)
    dimension = CONTENT_DIMENSION if set(names) <= _CONTENT else names[0]
    hourly = "hour" in question.columns
    kept = (OUT_QOE_HOURLY, OUT_QOE_HISTOGRAM_HOURLY) if hourly else (OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY)
    daily, counts = (_rows(tables, dataset, dimension, question) for dataset in kept)
    return Slice(_read(daily, counts, question), kept[0].name, f"sums are kept by {dimension}")


def _insufficient(tables: Tables, names: Sequence[str], question: Question) -> str | None:
    """Return why the stored sums cannot answer, or None."""
    if set(names) <= _CONTENT:
        return None
    if len(names) > 1:
        return f"sums are kept by one dimension at a time, not by {' and '.join(names)} together"
    rows = tables.scan(OUT_QOE_DAILY).filter(pl.col("dimension") == names[0]).with_columns(**_PERIODS)
    found = rows.filter(*question.of_periods).select(folded=(pl.col("value") == OTHER).any(), kept=pl.len()).collect()
    folded, kept = found.row(0)
    if not kept:
        return f"no sums are kept by {names[0]}"
    return f"rare values of {names[0]} are summed together" if folded else None


def _rows(tables: Tables, dataset: Dataset, dimension: str, question: Question) -> pl.LazyFrame:
    rows = tables.scan(dataset).filter(pl.col("dimension") == dimension).with_columns(**_PERIODS)
    if dimension != CONTENT_DIMENSION:
        rows = rows.with_columns(pl.col("value").alias(dimension))
    return rows.filter(*question.where)


def _from_core(tables: Tables, question: Question, aggregate: Aggregate, reason: str) -> Slice:
    """Sum core by the groups of the question: each takes the place of a content, so that one definition does."""
    core = tables.scan(CORE_SESSIONS).with_columns(hour=_HOUR, **_PERIODS)
    missing = set(question.columns) - set(core.collect_schema())
    if missing:
        raise ValueError(f"no such column: {', '.join(sorted(missing))}")
    sessions, groups = _grouped(core.filter(*question.where), list(question.by))
    one = sessions.with_columns(
        day=pl.date(1970, 1, 1), tenant=pl.lit(""), content_id="_group", stream_type=pl.lit(None, pl.String)
    )

    def named(sums: pl.LazyFrame, dataset: Dataset) -> pl.LazyFrame:
        held = [name for name in dataset.columns if name not in OUT_QOE_DAILY.key]
        return sums.select(pl.col("content_id").alias("_group"), *held).join(groups, on="_group")

    daily = named(aggregate(one, {}), OUT_QOE_DAILY)
    counts = named(histogram.aggregate(one, {}), OUT_QOE_HISTOGRAM_DAILY)
    return Slice(_read(daily, counts, question), CORE_SESSIONS.name, reason)


def _grouped(sessions: pl.LazyFrame, by: list[str]) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return the sessions with the number of their group as `_group`, and the groups with theirs."""
    if not by:
        return sessions.with_columns(_group=pl.lit("0")), pl.LazyFrame({"_group": ["0"]})
    groups = sessions.select(by).unique().collect().with_row_index("_group").lazy()
    groups = groups.with_columns(pl.col("_group").cast(pl.String))
    return sessions.join(groups, on=by, nulls_equal=True), groups


def _read(daily: pl.LazyFrame, counts: pl.LazyFrame, question: Question) -> pl.DataFrame:
    by = list(question.by)
    summed = [name for name in question.metrics if METRICS[name].q is None]
    shares = [q for name in question.metrics if (q := METRICS[name].q) is not None]
    parts = [qoe_summary.estimate(daily, by, summed)] if summed else []
    if shares:
        startup = counts.filter(pl.col("metric") == "startup_ms")
        parts.append(histogram.estimate(startup, by, "startup_ms", shares))
    order = pl.col("metric").cast(pl.Enum(question.metrics))
    return pl.concat([part.select(*by, "metric", "value", "low", "high", "n") for part in parts]).sort(*by, order)
