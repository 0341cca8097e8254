"""Which releases, devices, networks … do worse than the rest by more than chance explains, surest first.

The differences themselves are computed in `warehouse.metrics.comparison`; worded they are in `dashboards.qoe_findings`.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.metrics.comparison import against_rest
from warehouse.metrics.multiple import ALPHA, together
from warehouse.metrics.registry import METRICS

MOST = 6


def standouts(core: pl.DataFrame | pl.LazyFrame, dimensions: Sequence[str], *, limit: int = MOST) -> pl.DataFrame:
    """Return the differences for the worse of at most `limit` segments, as `warehouse.metrics.multiple.together`.

    Those are told whose p-value, adjusted for all comparisons made, is below 0.05. Segments come surest first, and so
    do the metrics within one.
    """
    sign = pl.when(pl.col("metric").is_in(_higher_is_better())).then(-1.0).otherwise(1.0)
    strength = sign * pl.col("difference") / (pl.col("high") - pl.col("low"))
    found = together(against_rest(core, dimensions).with_columns(strength=strength))
    worse = found.filter((pl.col("strength") > 0) & (pl.col("p_adjusted") < ALPHA)).with_columns(
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
