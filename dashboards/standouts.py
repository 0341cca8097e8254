"""Which releases, devices, networks … do worse than the rest by more than chance explains, surest first.

The differences themselves are computed in `warehouse.metrics.comparison`; worded they are in `dashboards.qoe_findings`.
"""

from collections.abc import Sequence
from statistics import NormalDist

import polars as pl

from dashboards.catalogue import METRICS
from warehouse.metrics.comparison import compare

MOST = 6


def standouts(core: pl.DataFrame | pl.LazyFrame, dimensions: Sequence[str], *, limit: int = MOST) -> pl.DataFrame:
    """Return the differences for the worse of at most `limit` segments, as `warehouse.metrics.comparison.SCHEMA`.

    Adds `comparisons`, how many were made; low and high are widened so that they hold at 95 % for all of them
    together (Bonferroni). Segments come surest first, and so do the metrics within one.
    """
    found = compare(core, dimensions)
    normal = NormalDist()
    widening = normal.inv_cdf(1 - 0.025 / max(found.height, 1)) / normal.inv_cdf(0.975)
    half = (pl.col("high") - pl.col("low")) / 2 * widening
    difference = pl.col("difference")
    sign = pl.when(pl.col("metric").is_in(_higher_is_better())).then(-1.0).otherwise(1.0)
    found = found.with_columns(
        low=difference - half,
        high=difference + half,
        comparisons=pl.lit(found.height, pl.Int64()),
        strength=sign * difference / half,
    )
    worse = found.filter(pl.col("strength") > 1).with_columns(
        surest=pl.col("strength").max().over("dimension", "segment")
    )
    order = ["surest", "dimension", "segment", "strength"]
    worse = worse.sort(order, descending=[True, False, False, True])
    first = worse.select("dimension", "segment").unique(maintain_order=True).head(limit)
    return worse.join(first, on=["dimension", "segment"], how="semi", maintain_order="left").drop("strength", "surest")


def compared(out: pl.DataFrame) -> int:
    """Return how many values of configured dimensions OUT_QOE_DAILY knows."""
    segments = out.filter((pl.col("dimension") != "content") & pl.col("value").is_not_null())
    return segments.select("dimension", "value").unique().height


def _higher_is_better() -> list[str]:
    return [metric.name for metric in METRICS.values() if metric.better == "higher"]
