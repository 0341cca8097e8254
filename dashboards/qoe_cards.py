"""The figures of the QoE page, section by section: trends, startup, outcomes.

Those that set segments side by side are in `dashboards.qoe_segments`; headline and footer in `dashboards.qoe_page`.
"""

import polars as pl

from dashboards import numbers, wording
from dashboards.cards import Card, Section, absence, estimates_table, extremes, measured
from dashboards.catalogue import METRICS, definition, source_table
from dashboards.drill_lines import with_lines
from dashboards.figures import outcomes, startup, trends
from dashboards.qoe_report import QoeReport
from dashboards.qoe_segments import dimensions, rebuffering
from warehouse.metrics import odd_days

TRENDS = (
    "rebuffer_pct_play",
    "startup_ms_p95",
    "vsf_pct",
    "vpf_pct",
    "ebvs_pct",
    "experience_score",
    "bitrate_bps",
    "rebuffers_per_hour",
)


def sections(report: QoeReport) -> tuple[Section, ...]:
    """Return every section of figures, in the page's order."""
    return (_trends(report), _startup(report), rebuffering(report), dimensions(report), _outcomes(report))


def _trends(report: QoeReport) -> Section:
    return Section(
        anchor="trend",
        title="Day by day",
        short="Trend",
        lead=f"Bands are 95 % intervals. {odd_days.RULE}{_unmeasured(report)}",
        cards=tuple(_trend(report, metric) for metric in TRENDS if len(measured(report.daily, metric))),
    )


def _unmeasured(report: QoeReport) -> str:
    titles = [METRICS[metric].title for metric in TRENDS if not len(measured(report.daily, metric))]
    return f" Not measured in these sessions: {', '.join(titles)}." if titles else ""


def _trend(report: QoeReport, metric: str) -> Card:
    rows = measured(report.daily, metric).sort("day")
    marked = report.marked.filter(pl.col("metric") == metric)["day"].to_list()
    shown = rows["value"].is_not_null().any()
    note = f"Stands apart: {', '.join(numbers.day(day) for day in marked)}." if marked else ""
    return Card(
        anchor=f"trend-{metric}",
        title=METRICS[metric].title,
        definition=definition(metric),
        source=source_table(metric),
        metrics=(metric,),
        figure=trends.trend(rows, metric, marked=marked) if shown else None,
        description=f"{extremes(rows, 'day', metric)} {note}".strip(),
        absent=absence(report.daily, metric),
        note=note,
        table=with_lines(estimates_table(rows, "day", "Day", f"{METRICS[metric].title} by day"), rows, "day", report),
    )


def _startup(report: QoeReport) -> Section:
    quantiles = report.summary.filter(pl.col("metric").str.starts_with("startup_ms_p"))
    quantiles = quantiles.with_columns(pl.lit("All sessions").alias("of"))
    spoken = [wording.estimate(row) for row in quantiles.to_dicts()]
    measured = int(report.startup_bins["n"].sum())
    card = Card(
        anchor="startup-distribution",
        title="How long viewers waited for the first frame",
        definition=(
            "Share of sessions by time from play request to first frame, log-spaced bins; "
            "lines are the median and p95 in their 95 % intervals."
        ),
        source="out_qoe_histogram_daily",
        metrics=tuple(quantiles["metric"]),
        figure=startup.distribution(report.startup_bins, quantiles) if measured else None,
        description=". ".join(spoken) + ".",
        note=f"n = {measured:,} sessions with a first frame, of {report.sessions:,}.",
        table=with_lines(estimates_table(quantiles, "of", "Of", "Startup times"), quantiles, "of", report),
        wide=True,
    )
    return Section(anchor="startup", title="Startup", short="Startup", cards=(card,))


def _outcomes(report: QoeReport) -> Section:
    known = not report.outcomes.is_empty()
    failures = report.daily.filter(pl.col("metric").is_in(["vsf_pct", "ebvs_pct", "vpf_pct"]) & (pl.col("n") > 0))
    failures = failures.sort("day", "metric")
    card = Card(
        anchor="outcomes-by-day",
        title="Sessions that did not simply play",
        definition="Sessions of each outcome / sessions whose outcome is known, percent; the rest of 100 % played.",
        source="out_qoe_daily",
        metrics=("vsf_pct", "ebvs_pct", "vpf_pct"),
        figure=outcomes.by_day(report.outcomes) if known else None,
        description=" ".join(extremes(failures, "day", metric) for metric in ("vsf_pct", "ebvs_pct", "vpf_pct")),
        absent="No session's outcome is known: these players do not count errors.",
        note="Playback failures are drawn here as a share of attempts; the headline divides them by ended plays."
        if known
        else "",
        table=with_lines(estimates_table(failures, "day", "Day", "Failures by day"), failures, "day", report),
        wide=True,
    )
    return Section(anchor="outcomes", title="Outcomes", short="Outcomes", cards=(card,))
