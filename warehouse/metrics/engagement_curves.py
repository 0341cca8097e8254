"""Completion, replay and drop-off curves, read from the sums of `OUT_ENGAGEMENT`. What is summed is in `engagement`."""

import polars as pl

from warehouse.metrics import intervals

CONTENT = ("tenant", "content_id")


def totals(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of each content over all days, a row a content.

    [tenant, content_id, sessions_n, watched_s, again_s, completion_ratio, completion_low, completion_high, length_n,
    length_s].
    `rows` are rows of `OUT_ENGAGEMENT`. completion_ratio is the share of sessions that watched the content to its end,
    of the `length_n` that know its length; null without any. Its bounds are Wilson's. `watched_s` is seconds watched,
    replays too; `again_s` is those replays: seconds that a session had watched before.
    """
    whole = pl.col("second") == 0
    summed = rows.group_by(CONTENT).agg(
        pl.col("sessions_n", "watches_sum", "completed_n", "length_n").filter(whole).sum(),
        pl.col("length_s_max").max(),
        again=(pl.col("watches_sum") - pl.col("sessions_n")).filter(~whole).sum(),
    )
    ratio, low, high = intervals.proportion(pl.col("length_n"), pl.col("completed_n"))
    return summed.select(
        *CONTENT,
        "sessions_n",
        watched_s="watches_sum",
        again_s="again",
        completion_ratio=ratio,
        completion_low=low,
        completion_high=high,
        length_n="length_n",
        length_s="length_s_max",
    ).sort(CONTENT)


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


def steps(rows: pl.DataFrame, parts: int) -> pl.DataFrame:
    """Return the same curves of each content in at most `parts` equal steps, as counts: what figures are drawn of.

    [tenant, content_id, first_s, last_s, began_n, reached_n, left_n, watches_sum, sessions_sum], sorted by content and
    first_s. began_n sessions watched anything of the content, reached_n the first second of the step or anything later,
    and of left_n the furthest second lies in the step. watches_sum − sessions_sum is how often a second of the step was
    watched again by a session.
    """
    seconds = rows.filter(pl.col("second") > 0)
    counted = seconds.group_by(*CONTENT, "second").agg(pl.col("sessions_n", "watches_sum", "last_n").sum())
    furthest = pl.col("second").max()
    width = counted.group_by(CONTENT).agg(width=-(-furthest // parts), steps=-(-furthest // -(-furthest // parts)))
    every = width.with_columns(step=pl.int_ranges("steps")).explode("step")
    inside = (
        counted.join(width, on=CONTENT)
        .group_by(*CONTENT, step=(pl.col("second") - 1) // pl.col("width"))
        .agg(
            left_n=pl.col("last_n").sum(),
            watches_sum=pl.col("watches_sum").sum(),
            sessions_sum=pl.col("sessions_n").sum(),
        )
    )
    sums = ("left_n", "watches_sum", "sessions_sum")
    whole = every.join(inside, on=[*CONTENT, "step"], how="left").with_columns(pl.col(*sums).fill_null(0))
    return whole.sort(*CONTENT, "step").select(
        *CONTENT,
        first_s=pl.col("step") * pl.col("width") + 1,
        last_s=(pl.col("step") + 1) * pl.col("width"),
        began_n=pl.col("left_n").sum().over(CONTENT),
        reached_n=pl.col("left_n").cum_sum(reverse=True).over(CONTENT),
        left_n="left_n",
        watches_sum="watches_sum",
        sessions_sum="sessions_sum",
    )


def proportion(steps: pl.DataFrame, trials: str, hits: str) -> pl.DataFrame:
    """Return [tenant, content_id, first_s, last_s, value, low, high, n]: hits / trials of `steps`, Wilson's bounds."""
    value, low, high = intervals.proportion(pl.col(trials), pl.col(hits))
    return steps.select(*CONTENT, "first_s", "last_s", value=value, low=low, high=high, n=trials)
