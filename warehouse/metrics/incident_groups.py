"""Which incidents are one and the same: a slice that is bad only through another's sessions is no second alarm.

From core sessions of their time, since sums do not tell which sessions two slices share. When a slice stands out is
decided in `incidents`, what explains it in `root_causes`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from warehouse.metrics import intervals
from warehouse.metrics.incident_series import FACTOR, Moments
from warehouse.metrics.incident_terms import in_slice, slice_name, with_terms

MIN_N = 20
"""Fewer sessions than these cannot be an incident of their own."""
_SURE = 3.0


def distinct(found: pl.DataFrame, core: pl.DataFrame | pl.LazyFrame, until: datetime, *, rise: float) -> pl.DataFrame:
    """Return the incidents that no other one explains, with `also`: the names of the slices that tell of the same.

    `found` are rows of `incidents.SCHEMA`, `core` sessions of their time, `until` ends those that last. Of incidents
    of one metric at one time the surest stands for all that have no rise of their own: without its sessions less than
    half of their excess is left, or less than `rise`, or no more than chance explains (3 standard deviations).
    """
    kept: list[dict[str, Any]] = []
    for row in found.sort("score", descending=True, maintain_order=True).to_dicts():
        row |= {"last": row["ended_at"] or until, "also": []}
        parents = [
            other
            for other in kept
            if (other["tenant"], other["metric"]) == (row["tenant"], row["metric"])
            and other["started_at"] < row["last"]
            and row["started_at"] < other["last"]
        ]
        if parents and not _remains(row, parents, core, rise):
            parents[0]["also"].append(row)
        else:
            kept.append(row)
    return pl.DataFrame(
        [row | {"also": [slice_name(child) for child in row["also"]]} for row in kept],
        schema={**found.schema, "also": pl.List(pl.String())},
        orient="row",
    ).sort("started_at", "metric", maintain_order=True)


def _remains(
    row: Mapping[str, Any], parents: Sequence[Mapping[str, Any]], core: pl.DataFrame | pl.LazyFrame, rise: float
) -> bool:
    """Tell whether a slice has at least half of its excess, and surely a rise, without the sessions of `parents`."""
    at = pl.col("started_at")
    taken = pl.any_horizontal(
        in_slice(parent) & at.is_between(parent["started_at"], parent["last"], closed="left") for parent in parents
    ).fill_null(value=False)
    day, days = pl.col("day"), (row["started_at"].date(), row["last"].date())
    within = day.is_between(*days) & at.is_between(row["started_at"], row["last"], closed="left")
    own = core.lazy().filter(in_slice(row), within)
    num, den = pl.col("num"), pl.col("den")
    sums = (
        with_terms(own, row["metric"])
        .group_by(taken=taken)
        .agg(n=pl.len(), num=num.sum(), den=den.sum(), num_sq=num.dot(num), den_sq=den.dot(den), num_den=num.dot(den))
    )
    _, half = intervals.ratio(*(pl.col(name) for name in Moments._fields))
    sides = {side["taken"]: side for side in sums.with_columns(half=half).collect().to_dicts()}
    left = sides.get(False)
    if left is None or left["n"] < MIN_N or left["half"] is None:
        return False
    usual = row["baseline"] / FACTOR[row["metric"]]
    excess = {side: sums["num"] - usual * sums["den"] for side, sums in sides.items()}
    ratio = left["num"] / left["den"]
    sure = ratio >= rise * usual and ratio - usual > _SURE * left["half"] / intervals.Z
    return bool(sure and excess[False] >= excess.get(True, 0.0))
