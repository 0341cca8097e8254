"""What a watch is and counts: one row an item, its local day, its title, its seconds, how well they are known.

Sums of watches are in `progress_daily`; where watches come from and how they are stored is not known here.
"""

from collections.abc import Mapping

import narwhals as nw
import polars as pl

from warehouse.datasets.watches import CORE_WATCHES

FALLBACK_S = 20 * 60
"""What an episode counts while its series' runtime is unknown, seconds (the tracker's contract)."""


def place(watches: pl.DataFrame, zones: Mapping[tuple[str, str], str], default_zone: str) -> pl.DataFrame:
    """Return core watches: one row an item, on the local day of its user, sorted by key.

    `watches` has the columns of `CORE_WATCHES` but `day` and `time_zone`, which are given here (and replaced where
    they are); rows may repeat and come in any order. Of several watches of one item the earliest counts. `zones` maps
    (tenant, user_id) to an IANA time zone; the others live in `default_zone`. Raises polars' ComputeError for a zone
    that does not exist.
    """
    schema = CORE_WATCHES.schema()
    known = pl.DataFrame(
        [(tenant, user, zone) for (tenant, user), zone in zones.items()],
        schema={"tenant": pl.String(), "user_id": pl.String(), "time_zone": pl.String()},
        orient="row",
    )
    bare = watches.drop("day", "time_zone", strict=False).join(known, on=["tenant", "user_id"], how="left")
    zoned = bare.with_columns(pl.col("time_zone").fill_null(default_zone))
    days = [
        pl.when(pl.col("time_zone") == zone).then(pl.col("watched_at").dt.convert_time_zone(zone).dt.date())
        for zone in zoned["time_zone"].unique()
    ]
    placed = zoned.with_columns(day=pl.coalesce(days) if days else pl.lit(None, pl.Date)).select(*schema).cast(schema)
    return _one_row_an_item(placed)


def _one_row_an_item(watches: pl.DataFrame) -> pl.DataFrame:
    # Every other column settles the order, so that equal instants do not let the order of loading decide.
    key = list(CORE_WATCHES.key)
    rest = [name for name in CORE_WATCHES.columns if name not in {*key, "watched_at"}]
    ordered = watches.sort(*key, "watched_at", "received_at", "ingest_id", *rest, nulls_last=True)
    return ordered.unique(subset=key, keep="first", maintain_order=True)


def title_id() -> nw.Expr:
    """Return the id of what a watch belongs to: series by TVDB id, channel, podcast; a movie is its own title.

    Null while it is unknown: an episode of a folder without a TVDB id, a video that YouTube has not described.
    """
    kind = nw.col("kind")
    by_kind = nw.when(kind == "youtube").then(nw.col("channel_id")).otherwise(nw.col("show_id"))
    with_movies = nw.when(kind == "movie").then(nw.col("item")).otherwise(by_kind)
    return nw.when(kind == "episode").then(nw.col("tvdb_id").cast(nw.String())).otherwise(with_movies)


def counted_s() -> nw.Expr:
    """Return the seconds that a watch counts: its length; unknown, 20 minutes for an episode and 0 for all else."""
    fallback = nw.when(nw.col("kind") == "episode").then(nw.lit(FALLBACK_S)).otherwise(nw.lit(0))
    return nw.when(nw.col("duration_s").is_null()).then(fallback).otherwise(nw.col("duration_s"))


def counted_confidence() -> nw.Expr:
    """Return how well the counted seconds are known: a fallback is an estimate, whatever the watch itself is."""
    guessed = (nw.col("kind") == "episode") & nw.col("duration_s").is_null()
    return nw.when(guessed).then(nw.lit("estimated")).otherwise(nw.col("confidence"))
