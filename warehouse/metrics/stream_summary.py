"""What a whole stream, and each of its minutes, says on average, with 95 % intervals.

Minutes themselves are made in `chat`, moments in `moments`; what an interval is is in `intervals`.
"""

import polars as pl

from warehouse.metrics import intervals

STREAM = ("tenant", "stream_id")

BLOCK = "5m"
"""Minutes that follow each other are alike, so that so much of a stream counts as one observation."""

MIN_BLOCKS = 10
"""Below so many blocks nothing is said of how sure a mean is."""

_CHATS = (pl.col("chat_count").sum().over(STREAM) > 0).cast(pl.Int64)

_TERMS: dict[str, tuple[pl.Expr, pl.Expr, pl.Expr]] = {
    "chat_rate": (pl.col("chat_count"), _CHATS * 60, _CHATS),
    "avg_viewers": (pl.col("viewer_sum"), pl.col("viewer_n"), pl.col("viewer_n")),
    "avg_sentiment": (pl.col("sentiment_sum"), pl.col("sentiment_n"), pl.col("sentiment_n")),
    "sentiment_coverage_ratio": (pl.col("sentiment_n"), pl.col("chat_count"), pl.col("chat_count")),
}
"""Of each metric, summed over minutes: numerator, denominator, and what n counts."""

METRICS = tuple(_TERMS)


def summarize(minutes: pl.DataFrame) -> pl.DataFrame:
    """Return [tenant, stream_id, metric, value, low, high, n], a row a stream and metric, from `OUT_CHAT_MINUTE`.

    - chat_rate: messages / seconds, of minutes with a message or a viewer sample; n minutes;
    - avg_viewers: mean of the viewer samples; n samples;
    - avg_sentiment: mean sentiment of the messages with any, -1 to 1; n such messages;
    - sentiment_coverage_ratio: messages with any sentiment / messages; n messages.

    Ratios of sums, their intervals by the delta method over blocks of `BLOCK`; null below `MIN_BLOCKS`. A value is null
    where nothing was measured; a stream whose chat never landed has no chat_rate.
    """
    parts = [_metric(minutes, name) for name in METRICS]
    return pl.concat(parts).sort(*STREAM, pl.col("metric").cast(pl.Enum(METRICS)))


def _metric(minutes: pl.DataFrame, name: str) -> pl.DataFrame:
    num, den, counted = (term.cast(pl.Float64) for term in _TERMS[name])
    blocks = (
        minutes.with_columns(num=num, den=den, counted=counted, block=pl.col("window_start").dt.truncate(BLOCK))
        .group_by(*STREAM, "block")
        .agg(pl.col("num", "den", "counted").sum())
    )
    used = pl.col("den") > 0
    top, below = pl.col("num").filter(used), pl.col("den").filter(used)
    n = used.sum()
    value, half = intervals.ratio(n, top.sum(), below.sum(), (top**2).sum(), (below**2).sum(), (top * below).sum())
    sure = pl.when(n >= MIN_BLOCKS).then(half)
    least, most = {"avg_sentiment": (-1.0, 1.0), "sentiment_coverage_ratio": (0.0, 1.0)}.get(name, (0.0, None))
    return blocks.group_by(STREAM).agg(
        metric=pl.lit(name),
        value=value,
        low=(value - sure).clip(least, most),
        high=(value + sure).clip(least, most),
        n=pl.col("counted").sum().cast(pl.Int64),
    )


def minute_means(rows: pl.DataFrame | pl.LazyFrame, at: str, column: str) -> pl.DataFrame:
    """Return [tenant, stream_id, window_start, value, low, high, n]: the mean of a column of core rows by minute.

    `at` is the column that tells their time. Rows without a value are left out, and so are minutes without any. Bounds
    are null where the values of a minute do not differ, or there is only one.
    """
    known = rows.lazy().filter(pl.col(column).is_not_null())
    value = pl.col(column).cast(pl.Float64)
    mean, half = intervals.mean(pl.len(), value.sum(), (value**2).sum())
    grouped = known.group_by(*STREAM, window_start=pl.col(at).dt.truncate("1m"))
    means = grouped.agg(value=mean, low=mean - half, high=mean + half, n=pl.len().cast(pl.Int64))
    return means.sort(*STREAM, "window_start").collect()


def emote_uses(chat: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return [tenant, stream_id, emote, uses] of rows of `CORE_CHAT`, most used first, then by name."""
    used = chat.lazy().select(*STREAM, emote="emotes").explode("emote").drop_nulls("emote")
    counted = used.group_by(*STREAM, "emote").agg(uses=pl.len().cast(pl.Int64))
    return counted.sort(*STREAM, "uses", "emote", descending=[False, False, True, False]).collect()
