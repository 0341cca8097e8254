"""Stalls of two sets of sessions at equal watch time.

Long sessions stall otherwise than short ones, so two sets may differ in their share of stalled time merely because one
is watched longer. The Puffer trial (Yan et al., NSDI 2020) therefore draws stalls within bins of watch time, and watch
times from both sets together. Here the same comparison is made without drawing: each bin's share of stalled time,
weighted by the bin's part of the watch time of both sets. Comparisons as they are, without bins, are in `comparison`.
"""

from collections.abc import Sequence

import polars as pl

from warehouse.metrics import intervals
from warehouse.metrics.clusters import assumption, terms
from warehouse.metrics.comparison import MIN_CLUSTERS, MIN_SESSIONS, with_inference

_METRIC = "rebuffer_pct_play"
_SIDES = ("a", "b")
_COLUMNS = (
    *[f"{side}{end}" for side in _SIDES for end in ("", "_low", "_high")],
    *("difference", "low", "high", "p_value", "detectable", "standard_error", "effective"),
    *("n_a", "n_b", "clusters_a", "clusters_b", "bins", "covered"),
)


def compare_stalls(
    a: pl.DataFrame | pl.LazyFrame, b: pl.DataFrame | pl.LazyFrame, by: Sequence[str] = ()
) -> pl.DataFrame:
    """Compare `rebuffer_pct_play` of two sets of core sessions as if both had been watched equally long.

    One row a group of `by`, with the columns of `comparison.compare`, `bins` used and `covered`, the share of all watch
    time that lies in them. Bins double in width: sessions of 1-2 s of play and rebuffer time, 2-4 s and so on. Of bins
    with fewer than `MIN_SESSIONS` sessions on either side, those at both ends join their neighbour, others are left
    out. Viewers are clusters, and what the weights owe to chance counts in the variance: delta method on cluster sums.
    """
    sides = [side.lazy().with_columns(pl.lit(name).alias("_side")) for name, side in zip(_SIDES, (a, b), strict=True)]
    both = pl.concat(sides, how="diagonal_relaxed")
    keys = ["_all", *by]
    sessions = terms(both, (_METRIC,), ["_side", *by]).with_columns(pl.lit(0, pl.Int8()).alias("_all"))
    cells = _binned(sessions.rename({f"{_METRIC}_num": "a", f"{_METRIC}_den": "b"}), keys)
    cells = cells.group_by(*keys, "bin", "cluster").agg(
        aggregate
        for side in _SIDES
        for aggregate in (
            pl.col("a").filter(pl.col("_side") == side).sum().alias(f"num_{side}"),
            pl.col("b").filter(pl.col("_side") == side).sum().alias(f"den_{side}"),
            (pl.col("_side") == side).sum().cast(pl.Int64()).alias(f"n_{side}"),
        )
    )
    found = with_inference(_standardised(cells, _bins(cells, keys), keys))
    shown = found.select(*by, pl.lit(_METRIC).alias("metric"), *_COLUMNS, pl.lit(assumption(both)).alias("assumption"))
    return shown.sort(by) if by else shown


def _binned(sessions: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Add `bin`; below the first and beyond the last bin with sessions enough all count to it."""
    binned = sessions.filter(pl.col("b") > 0).with_columns(bin=(pl.col("b") / 1000).log(2).floor().cast(pl.Int16()))
    counts = binned.group_by(*keys, "bin").agg(
        pl.min_horizontal((pl.col("_side") == side).sum() for side in _SIDES).alias("n")
    )
    ends = (
        counts.filter(pl.col("n") >= MIN_SESSIONS)
        .group_by(keys)
        .agg(first=pl.col("bin").min(), last=pl.col("bin").max())
    )
    return binned.join(ends, on=keys, nulls_equal=True).with_columns(pl.col("bin").clip("first", "last"))


def _bins(cells: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return each bin's ratio on both sides, its weight, and the difference that all bins of the group come to."""
    sums = [pl.col(f"{term}_{side}").sum() for term in ("num", "den", "n") for side in _SIDES]
    bins = cells.group_by(*keys, "bin").agg(*sums)
    whole = (pl.col("den_a") + pl.col("den_b")).sum().over(keys)
    bins = bins.with_columns(all_watched=whole).filter(pl.min_horizontal("n_a", "n_b") >= MIN_SESSIONS)
    bins = bins.rename({f"{term}_{side}": f"bin_{term}_{side}" for term in ("num", "den", "n") for side in _SIDES})
    watched = pl.col("bin_den_a") + pl.col("bin_den_b")
    bins = bins.with_columns(
        ratio_a=pl.col("bin_num_a") / pl.col("bin_den_a"),
        ratio_b=pl.col("bin_num_b") / pl.col("bin_den_b"),
        watched=watched.sum().over(keys),
        weight=watched / watched.sum().over(keys),
    )
    return bins.with_columns(
        **{side: (pl.col("weight") * pl.col(f"ratio_{side}")).sum().over(keys) for side in _SIDES},
        covered=pl.col("watched") / pl.col("all_watched"),
        bins=pl.len().over(keys).cast(pl.Int64()),
    )


def _standardised(cells: pl.DataFrame, bins: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Add up each cluster's part of both sides and of their difference; return a row a group."""
    watched = (pl.col("den_a") + pl.col("den_b")) / pl.col("watched")
    parts = {
        side: pl.col("weight")
        * (pl.col(f"num_{side}") - pl.col(f"ratio_{side}") * pl.col(f"den_{side}"))
        / pl.col(f"bin_den_{side}")
        # A cluster that watches more in a bin shifts the weights towards it.
        + watched * (pl.col(f"ratio_{side}") - pl.col(side))
        for side in _SIDES
    }
    weights = {side: pl.col("weight") * pl.col(f"den_{side}") / pl.col(f"bin_den_{side}") for side in _SIDES}
    people = (
        cells.join(bins, on=[*keys, "bin"], nulls_equal=True)
        .group_by(*keys, "cluster")
        .agg(
            *[part.sum().alias(f"part_{side}") for side, part in parts.items()],
            *[weight.sum().alias(f"weight_{side}") for side, weight in weights.items()],
            *[pl.col(f"n_{side}").sum() for side in _SIDES],
        )
    )
    groups = people.group_by(keys).agg(
        pl.len().alias("people"),
        ((pl.col("part_a") - pl.col("part_b")) ** 2).sum().alias("squares"),
        *[(pl.col(f"part_{side}") ** 2).sum().alias(f"squares_{side}") for side in _SIDES],
        *[(1 / (pl.col(f"weight_{side}") ** 2).sum()).alias(f"effective_{side}") for side in _SIDES],
        *[pl.col(f"n_{side}").sum() for side in _SIDES],
        *[(pl.col(f"n_{side}") > 0).sum().cast(pl.Int64()).alias(f"clusters_{side}") for side in _SIDES],
    )
    found = groups.join(bins.select(*keys, *_SIDES, "covered", "bins").unique(), on=keys, nulls_equal=True)
    larger = pl.col("people") / (pl.col("people") - 1)
    half = {
        side: intervals.critical(pl.col(f"effective_{side}")) * (pl.col(f"squares_{side}") * larger).sqrt()
        for side in _SIDES
    }
    return found.filter(
        (pl.min_horizontal("effective_a", "effective_b") >= MIN_CLUSTERS) & (pl.col("squares") > 0)
    ).with_columns(
        **{f"{side}_low": pl.col(side) - half[side] for side in _SIDES},
        **{f"{side}_high": pl.col(side) + half[side] for side in _SIDES},
        difference=pl.col("a") - pl.col("b"),
        standard_error=(pl.col("squares") * larger).sqrt(),
        effective=pl.min_horizontal("effective_a", "effective_b"),
    )
