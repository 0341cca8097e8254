"""The table that `demo` ends with: each published figure and its interval, beside what is known to be true."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from lab.truth import Figures, Truth
from warehouse.datasets import CONTENT_DIMENSION, OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY
from warehouse.metrics import histogram, qoe_summary
from warehouse.store import Store

EXACT = 1e-9
"""Sums of integers and their quotients: only floating point may differ."""
QUANTILE = 0.01
"""Quantiles read from log-spaced buckets."""


@dataclass(frozen=True)
class Figure:
    """One line of the table: a metric, how it is written, and how far from the truth it may be (relative)."""

    label: str
    metric: str
    known: Callable[[Figures], float]
    form: str = ".2f"
    scale: float = 1.0
    tolerance: float = EXACT

    def write(self, value: float) -> str:
        """Return the number in the unit of the label."""
        return format(value * self.scale, self.form)


FIGURES = (
    Figure("Startup p50, ms", "startup_ms_p50", lambda f: f.startup_ms_p50, ",.0f", tolerance=QUANTILE),
    Figure("Startup p95, ms", "startup_ms_p95", lambda f: f.startup_ms_p95, ",.0f", tolerance=QUANTILE),
    Figure("Startup mean, ms", "startup_ms", lambda f: f.startup_ms_mean, ",.0f"),
    Figure("Rebuffering, % of play", "rebuffer_pct_play", lambda f: f.rebuffer_pct_play),
    Figure("Start failures, %", "vsf_pct", lambda f: f.vsf_pct),
    Figure("Exits before start, %", "ebvs_pct", lambda f: f.ebvs_pct),
    Figure("Playback failures, %", "vpf_pct", lambda f: f.vpf_pct),
    Figure("Bitrate, Mbit/s", "bitrate_bps", lambda f: f.bitrate_bps, scale=1e-6),
)


def show(console: Console, store: Store, tenant: str, truth: Truth | None) -> bool:
    """Print the published figures of a tenant; return whether all agree with the truth, where it is known."""
    out = store.lake.scan(OUT_QOE_DAILY, tenant=tenant).collect()
    hist = store.lake.scan(OUT_QOE_HISTOGRAM_DAILY, tenant=tenant).collect()
    segments = [("all sessions", _content(out), _content(hist), truth.overall if truth else None)]
    if truth:
        segments += [
            (f"release {truth.bad_release}", *_release(out, hist, truth.bad_release, same=True), truth.bad),
            ("other releases", *_release(out, hist, truth.bad_release, same=False), truth.others),
        ]
    agree = [_show_segment(console, *segment) for segment in segments]
    if truth:
        console.print(
            f"Planted: release {truth.bad_release} on {truth.bad_day} with {truth.startup_ratio:.1f} times the median "
            f"startup and {truth.rebuffer_ratio:.1f} times the rebuffering of the others."
        )
    return all(agree)


def _show_segment(console: Console, title: str, out: pl.DataFrame, hist: pl.DataFrame, known: Figures | None) -> bool:
    estimates = pl.concat([qoe_summary.summarize(out), histogram.quantiles(hist)], how="diagonal_relaxed")
    by_metric = {row["metric"]: row for row in estimates.iter_rows(named=True)}
    table = Table(title=f"Published: {title}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("figure", no_wrap=True)
    for heading in ("published", "95 % interval", "n", *(("truth", "") if known else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    sessions = int(out["sessions"].sum())
    right = [known is None or sessions == known.sessions]
    table.add_row("Sessions", f"{sessions:,}", "", "", *_truth(f"{known.sessions:,}", right[0]) if known else ())
    for figure in FIGURES:
        row = by_metric[figure.metric]
        cells = _published(figure, row)
        if known:
            truth = figure.known(known)
            right.append(_agrees(row["value"], truth, figure.tolerance))
            cells += _truth(figure.write(truth), right[-1])
        table.add_row(figure.label, *cells)
    console.print(table)
    return all(right)


def _published(figure: Figure, row: dict[str, float | None]) -> list[str]:
    value, low, high = row["value"], row["low"], row["high"]
    missing = "too few" if row["n"] else "not measured"
    interval = "" if low is None or high is None else f"{figure.write(low)} to {figure.write(high)}"
    return [missing if value is None else figure.write(value), interval, f"{row['n']:,}"]


def _truth(text: str, agrees: bool) -> list[str]:
    return [text, "[green]agrees[/green]" if agrees else "[red]differs[/red]"]


def _agrees(value: float | None, truth: float, tolerance: float) -> bool:
    return value is not None and abs(value - truth) <= tolerance * max(abs(truth), 1e-12)


def _content(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("dimension") == CONTENT_DIMENSION)


def _release(out: pl.DataFrame, hist: pl.DataFrame, version: str, *, same: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    value = pl.col("value")
    wanted = (pl.col("dimension") == "app_version") & (value == version if same else value != version)
    return out.filter(wanted), hist.filter(wanted)
