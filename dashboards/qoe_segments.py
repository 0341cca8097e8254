"""The QoE page's figures that set segments side by side: contents, stream types, releases, devices, networks."""

import polars as pl

from dashboards.cards import Card, Section, absence, estimates_table, extremes, measured
from dashboards.catalogue import METRICS, definition, dimension_title
from dashboards.drill_lines import with_lines
from dashboards.figures import segments
from dashboards.qoe_report import QoeReport

FAILURES = ("vsf_pct", "vpf_pct")
STALLS = ("rebuffer_pct_play", "rebuffers_per_hour")


def rebuffering(report: QoeReport) -> Section:
    """Return stalls by content and by stream type."""
    metrics = (_stalls(report),)
    return Section(
        anchor="rebuffering",
        title="Rebuffering",
        short="Rebuffering",
        lead="Points with their 95 % intervals; the dotted line is the whole period.",
        cards=(
            _card(report, report.contents, "content_id", "Content", metrics, "By content", wide=True),
            _card(report, report.stream_types, "stream_type", "Stream type", metrics, "By stream type", wide=True),
        ),
    )


def dimensions(report: QoeReport) -> Section:
    """Return stalls and failures by every configured dimension that was sent."""
    cards: list[Card] = []
    silent: list[str] = []
    for (name,), frame in report.dimensions.group_by("dimension", maintain_order=True):
        heading = dimension_title(str(name))
        if frame["segment"].is_null().all():
            silent.append(heading)
            continue
        cards.append(_card(report, frame, "segment", heading, (_stalls(report),), f"{heading}: stalls"))
        cards.append(_card(report, frame, "segment", heading, FAILURES, f"{heading}: failures"))
    lead = "Releases, devices, networks and whatever else is configured, worst first; rare values together as “other”."
    if silent:
        lead += f" Never sent: {', '.join(silent)}."
    title = "Releases, devices, networks"
    return Section(anchor="dimensions", title=title, short="Releases, devices", lead=lead, cards=tuple(cards))


def _stalls(report: QoeReport) -> str:
    """Return the first metric of stalls that any session measured: some players count stalls and do not time them."""
    return next((metric for metric in STALLS if len(measured(report.summary, metric))), STALLS[0])


def _card(
    report: QoeReport,
    frame: pl.DataFrame,
    column: str,
    heading: str,
    metrics: tuple[str, ...],
    title: str,
    *,
    wide: bool = False,
) -> Card:
    shown = segments.surest(frame, column, metrics)
    subject = frame["dimension"][0] if column == "segment" else column
    formulas = [f"{METRICS[metric].title}: {definition(metric)}" for metric in metrics]
    return Card(
        anchor=f"{subject}-{metrics[0]}",
        title=title,
        definition=" ".join(formulas) if len(metrics) > 1 else definition(metrics[0]),
        source="out_qoe_daily",
        metrics=metrics,
        figure=segments.ranked(shown, column, metrics, overall=_overall(report, metrics)) if len(shown) else None,
        description=" ".join(extremes(shown, column, metric) for metric in metrics),
        absent=absence(frame, *metrics),
        note=_selection(shown[column].n_unique(), frame[column].n_unique()),
        table=with_lines(estimates_table(shown, column, heading, title), shown, column, report),
        wide=wide,
    )


def _selection(shown: int, total: int) -> str:
    if not shown or shown == total:
        return ""
    return (
        f"{shown} of {total:,} shown: those whose interval begins highest, so surest to be bad; "
        "those with too few sessions for an interval are left out."
    )


def _overall(report: QoeReport, metrics: tuple[str, ...]) -> float | None:
    if len(metrics) > 1:
        return None
    values = report.summary.filter(pl.col("metric") == metrics[0])["value"]
    return float(values[0]) if len(values) and values[0] is not None else None
