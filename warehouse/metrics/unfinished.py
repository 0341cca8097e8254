"""Which watches their providers have not described, in the groups in which a person would mend them.

Why a provider said nothing is known to `warehouse.providers`; how it is put to a reader, to `dashboards`.
"""

import polars as pl

_GROUP = ("tenant", "user_id", "kind", "name", "enrichment", "tvdb_id", "tmdb_id")


def unfinished(core: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return [tenant, user_id, kind, name, enrichment, tvdb_id, tmdb_id, items, received_at], what failed first.

    `core` holds rows of `CORE_WATCHES`; those that are found are left out. `name` is the folder of episodes, which
    are mended together, else the item; `received_at` the earliest arrival, UTC.
    """
    name = pl.when(pl.col("kind") == "episode").then(pl.col("folder")).otherwise(pl.col("item"))
    open_ones = core.lazy().filter(pl.col("enrichment") != "found").with_columns(name=name)
    groups = open_ones.group_by(*_GROUP).agg(items=pl.len().cast(pl.Int64()), received_at=pl.col("received_at").min())
    order = ["tenant", "user_id", "enrichment", "items", "kind", "name", "tvdb_id", "tmdb_id"]
    down = [False, False, False, True, False, False, False, False]
    return groups.sort(order, descending=down, nulls_last=True).collect()
