"""How a playback ended: the four outcome classes. What they add up to is in `qoe`."""

import polars as pl


def outcome() -> pl.Expr:
    """Return the outcome class of a session: one of `warehouse.datasets.OUTCOMES`, or null where it is unknown.

    A session never started when `startup_ms` is null and `play_ms` is null or 0. With a fatal error it is a
    `video_start_failure`, without one an `exit_before_video_start`; a session that started is a `playback_failure` or
    `played`. A null `error_count` was not measured and is no zero: the outcome is then null.

    Source: Conviva's split of attempts; Media3 `PlaybackStats`, where `errorCount` counts fatal errors only.
    """
    never_started = pl.col("startup_ms").is_null() & (pl.col("play_ms").fill_null(0) == 0)
    failed = pl.col("error_count") > 0
    return (
        pl.when(failed.is_null())
        .then(None)
        .when(never_started & failed)
        .then(pl.lit("video_start_failure"))
        .when(never_started)
        .then(pl.lit("exit_before_video_start"))
        .when(failed)
        .then(pl.lit("playback_failure"))
        .otherwise(pl.lit("played"))
    )
