"""Which sessions weigh most in each headline number: where to begin when a number is bad."""

import polars as pl

from warehouse.metrics import drilldown

EACH = 3
SCHEMA = pl.Schema(
    {
        "metric": pl.String(),
        "contribution": pl.Float64(),
        "session_id": pl.String(),
        "day": pl.Date(),
        "content_id": pl.String(),
        "ingest_id": pl.String(),
    }
)


def heaviest(core: pl.DataFrame | pl.LazyFrame, metrics: tuple[str, ...]) -> pl.DataFrame:
    """Return the `EACH` sessions that make each metric worst: `SCHEMA`, by metric in the given order.

    `contribution` is as of `drilldown.contributors`.
    """
    parts = [
        drilldown.contributors(core, metric, limit=EACH)
        .with_columns(metric=pl.lit(metric))
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        for metric in metrics
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])
