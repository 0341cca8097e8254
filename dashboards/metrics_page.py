"""`metrics.html`: every metric of the registry as a reader meets it. What a metric means is written there, not here."""

from dataclasses import dataclass

from dashboards.catalogue import DISAGREEMENTS
from warehouse.metrics.registry import INTERVALS, METRICS, MIN_N, Direction, Kind, Metric, Unit

UNITS: dict[Unit, str] = {
    "pct": "percent, 0–100",
    "ms": "milliseconds",
    "bps": "bits a second",
    "ratio": "0–1",
    "score": "points, 0–100",
    "per_hour": "an hour of play",
    "per_min": "a minute of play",
    "per_session": "a session",
    "hours": "hours",
    "count": "sessions",
    "points": "points",
}
_BETTER: dict[Direction, str] = {"lower": "Lower is better", "higher": "Higher is better", "neither": "Neither"}
_KINDS: dict[Kind, str] = {
    "count": "Count or sum",
    "quantile": "Quantile over sessions",
    "mean": "Mean over sessions",
    "ratio": "Ratio of sums",
    "proportion": "Proportion of sessions",
}


@dataclass(frozen=True)
class Entry:
    """A metric with its facts, in the order in which they are printed."""

    name: str
    title: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MetricsPage:
    """Everything that `metrics.html.j2` prints."""

    entries: tuple[Entry, ...]
    disagreements: tuple[str, ...] = DISAGREEMENTS


def metrics_page() -> MetricsPage:
    """Lay out the registry."""
    return MetricsPage(tuple(_entry(metric) for metric in METRICS.values()))


def _entry(metric: Metric) -> Entry:
    fewest = "" if metric.kind == "count" else f"{MIN_N[metric.kind]} sessions; with fewer it says “too few”"
    facts = (
        ("Formula", metric.formula),
        ("Unit", UNITS[metric.unit]),
        ("Kind", _KINDS[metric.kind]),
        ("Direction", _BETTER[metric.better]),
        ("Counted", metric.nulls),
        ("95 % interval", INTERVALS[metric.kind]),
        ("Needs", fewest),
        ("Source", metric.source),
        ("Table", metric.table),
    )
    return Entry(metric.name, metric.title, tuple((name, text) for name, text in facts if text))
