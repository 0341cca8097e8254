"""Many comparisons at once: the more slices are ranked, the more of them look bad by chance.

Holm's procedure, not Benjamini and Hochberg's: a reader acts on the first slice of the list, so the chance that any of
those named is false is what must stay within 5 %, and that whatever the dependence between slices (each is compared
with a rest that the others are part of).
"""

from statistics import NormalDist

import polars as pl

from warehouse.metrics import intervals

ALPHA = 0.05


def holm(p_value: pl.Expr) -> pl.Expr:
    """Return p-values adjusted for the number of rows: below 0.05 the chance of any false one is at most 5 %.

    Source: Holm 1979.
    """
    place = p_value.rank("ordinal")
    stepped = p_value * (pl.len() - place + 1)
    return stepped.sort_by(place).cum_max().gather(place - 1).clip(upper_bound=1.0)


def together(found: pl.DataFrame) -> pl.DataFrame:
    """Return comparisons (as of `comparison.against_rest`) corrected for one another.

    Adds `comparisons`, how many there are, and `p_adjusted` by Holm. `low` and `high` are widened to hold at 95 % for
    all of them together (Bonferroni); where Holm's procedure, which is the sharper, excludes no difference, the
    interval ends there at 0 (Strassburger and Bretz 2008, Guilbaud 2008).
    """
    rows = max(found.height, 1)
    half = intervals.critical(pl.col("effective"), NormalDist().inv_cdf(1 - ALPHA / 2 / rows)) * pl.col(
        "standard_error"
    )
    difference = pl.col("difference")
    wide = found.with_columns(
        low=difference - half,
        high=difference + half,
        comparisons=pl.lit(found.height, pl.Int64()),
        p_adjusted=holm(pl.col("p_value")),
    )
    sure = pl.col("p_adjusted") < ALPHA
    return wide.with_columns(
        low=pl.when(sure & (difference > 0)).then(pl.col("low").clip(lower_bound=0.0)).otherwise("low"),
        high=pl.when(sure & (difference < 0)).then(pl.col("high").clip(upper_bound=0.0)).otherwise("high"),
    )
