"""Chat by the minute: messages, chatters, emotes, sentiment and viewers, the rows of `OUT_CHAT_MINUTE`.

Minutes add up except for distinct chatters. What one message's sentiment is is in `sentiment`, when a window is out of
the usual in `moments`; both are joined here.
"""

import polars as pl

from warehouse.datasets.live import OUT_CHAT_MINUTE
from warehouse.metrics.sentiment import exact_sum

WINDOW_S = 60
TOP_EMOTES = 10
"""Emotes named a minute."""

KEY = ("tenant", "stream_id", "window_start")


def minutes(chat: pl.DataFrame, viewers: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `OUT_CHAT_MINUTE`, sorted by key: one a stream and minute with a message or a sample.

    `chat` and `viewers` are frames of `CORE_CHAT` and `CORE_VIEWERS`, each row once, in any order and of any number of
    streams; `scores` is the second frame of `moment_rows.detect`. Formulas, of one minute:

    - chat_rate: messages / 60 s;
    - avg_sentiment: sum of sentiments / messages with any; sentiment_coverage_ratio: messages with any / messages;
    - avg_viewers: mean of the samples, peak_viewers their greatest; null without any;
    - z_score: the greatest of the chat windows that end in (start, end], null where none was judged; is_anomaly:
      whether one was over the threshold.
    """
    written = _written(chat.with_columns(window_start=_minute("sent_at")))
    joined = written.join(_sampled(viewers), on=KEY, how="full", coalesce=True).join(
        _judged(scores), on=KEY, how="left"
    )
    n, sentiment_n = pl.col("chat_count"), pl.col("sentiment_n")
    schema = OUT_CHAT_MINUTE.schema()
    counted = joined.with_columns(
        pl.col("chat_count", "unique_chatters", "sentiment_n", "viewer_n", "viewer_sum").fill_null(0),
        pl.col("sentiment_sum").fill_null(0.0),
        pl.col("top_emotes").fill_null(pl.lit([], dtype=schema["top_emotes"])),
        pl.col("top_emote_counts").fill_null(pl.lit([], dtype=schema["top_emote_counts"])),
        pl.col("is_anomaly").fill_null(value=False),
    ).with_columns(
        day=pl.col("window_start").dt.date(),
        window_end=pl.col("window_start").dt.offset_by(f"{WINDOW_S}s"),
        chat_rate=n / WINDOW_S,
        avg_sentiment=pl.when(sentiment_n > 0).then(pl.col("sentiment_sum") / sentiment_n),
        sentiment_coverage_ratio=pl.when(n > 0).then(sentiment_n / n),
    )
    return counted.select(*schema).cast(schema).sort(KEY)


def top_emotes(emotes: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    """Return [keys, top_emotes, top_emote_counts] from the columns `keys` and `emotes`: by frequency, then by name."""
    used = emotes.select(*keys, "emotes").explode("emotes").drop_nulls("emotes")
    counted = used.group_by(*keys, "emotes").agg(uses=pl.len().cast(pl.Int64))
    ordered = counted.sort(*keys, "uses", "emotes", descending=[*(False for _ in keys), True, False])
    grouped = ordered.group_by(*keys, maintain_order=True)
    return grouped.agg(top_emotes=pl.col("emotes").head(TOP_EMOTES), top_emote_counts=pl.col("uses").head(TOP_EMOTES))


def _written(chat: pl.DataFrame) -> pl.DataFrame:
    counted = chat.group_by(KEY).agg(
        chat_count=pl.len().cast(pl.Int64),
        unique_chatters=pl.col("user_id").drop_nulls().n_unique().cast(pl.Int64),
        sentiment_n=pl.col("sentiment").count().cast(pl.Int64),
        sentiment_sum=exact_sum(),
    )
    return counted.join(top_emotes(chat, KEY), on=KEY, how="left")


def _sampled(viewers: pl.DataFrame) -> pl.DataFrame:
    count = pl.col("viewer_count")
    return (
        viewers.with_columns(window_start=_minute("sampled_at"))
        .group_by(KEY)
        .agg(
            viewer_n=pl.len().cast(pl.Int64), viewer_sum=count.sum(), avg_viewers=count.mean(), peak_viewers=count.max()
        )
    )


def _judged(scores: pl.DataFrame) -> pl.DataFrame:
    # A window that ends with the minute belongs to it, so the minute's own end is included and its start is not.
    ends = pl.col("at").dt.offset_by("-1us").dt.truncate("1m")
    return scores.group_by("tenant", "stream_id", window_start=ends).agg(
        z_score=pl.col("z_score").max(), is_anomaly=pl.col("over").any()
    )


def _minute(name: str) -> pl.Expr:
    return pl.col(name).dt.truncate("1m")
