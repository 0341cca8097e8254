"""Completion, replay and drop-off curves, read from the sums of `OUT_ENGAGEMENT`. What is summed is in `engagement`."""

import polars as pl

CONTENT = ("tenant", "content_id")


def totals(rows: pl.DataFrame) -> pl.DataFrame:
    """Return [tenant, content_id, sessions_n, watched_s, completion_ratio, length_s], a row a content, over all days.

    `rows` are rows of `OUT_ENGAGEMENT`. completion_ratio is the share of sessions that watched the content to its end,
    of those that know its length; null without any. `watched_s` is seconds watched, replays too.
    """
    summed = (
        rows.filter(pl.col("second") == 0)
        .group_by(CONTENT)
        .agg(pl.col("sessions_n", "watches_sum", "completed_n", "length_n").sum(), pl.col("length_s_max").max())
    )
    ratio = pl.when(pl.col("length_n") > 0).then(pl.col("completed_n") / pl.col("length_n"))
    columns = ("sessions_n", pl.col("watches_sum").alias("watched_s"), ratio.alias("completion_ratio"))
    return summed.select(*CONTENT, *columns, pl.col("length_s_max").alias("length_s")).sort(CONTENT)


def curve(rows: pl.DataFrame) -> pl.DataFrame:
    """Return [tenant, content_id, second, reached_ratio, watched_ratio, replay_ratio, drop_off_ratio] over all days.

    One row a content and second up to the furthest one watched:

    - reached_ratio: sessions that watched it or anything later / sessions that watched anything;
    - watched_ratio: sessions that watched it / the same; below the one before where they skipped it;
    - replay_ratio: watches beyond the first of each session / sessions that watched it, null where none did;
    - drop_off_ratio: sessions of which it was the furthest / sessions that reached it.
    """
    sums = ("sessions_n", "watches_sum", "last_n")
    seconds = rows.filter(pl.col("second") > 0)
    counted = seconds.group_by(*CONTENT, "second").agg(pl.col(*sums).sum())
    furthest = pl.int_ranges(1, pl.col("second").max() + 1).alias("second")
    every = counted.group_by(CONTENT).agg(furthest.first()).explode("second")
    whole = every.join(counted, on=[*CONTENT, "second"], how="left").with_columns(pl.col(*sums).fill_null(0))
    began = pl.col("last_n").sum().over(CONTENT)
    reached = pl.col("last_n").cum_sum(reverse=True).over(CONTENT)
    seen = pl.col("sessions_n")
    return (
        whole.sort(*CONTENT, "second")
        .with_columns(
            reached_ratio=reached / began,
            watched_ratio=seen / began,
            replay_ratio=pl.when(seen > 0).then((pl.col("watches_sum") - seen) / seen),
            drop_off_ratio=pl.col("last_n") / reached,
        )
        .drop(sums)
    )
