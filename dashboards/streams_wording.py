"""What numbers of live streams are called on a page, how they are printed, and the definition of each in one line.

Only text is made here; the numbers come from `warehouse.metrics`.
"""

from collections.abc import Mapping
from typing import Any

from dashboards.cards import Definition

TITLES = {
    "chat_rate": "Messages a second",
    "avg_viewers": "Viewers, mean",
    "avg_sentiment": "Sentiment, mean",
    "sentiment_coverage_ratio": "Messages with sentiment",
}
MOMENTS = {"chat_spike": "Chat spike", "viewer_spike": "Viewer spike", "sentiment_shift": "Sentiment shift"}

_MINUTE = "out_chat_minute"

DEFINITIONS = tuple(
    Definition(*given)
    for given in (
        ("messages", "Messages", "Chat messages, each id once.", _MINUTE),
        (
            "chatters",
            "Chatters",
            "Distinct users who wrote a message; users that are not told are left out.",
            "core_chat",
        ),
        ("peak_viewers", "Viewers, peak", "The greatest sample of concurrent viewers.", _MINUTE),
        (
            "chat_rate",
            TITLES["chat_rate"],
            "Messages / seconds, of minutes with a message or a viewer sample; n counts those minutes.",
            _MINUTE,
        ),
        ("avg_viewers", TITLES["avg_viewers"], "Mean of the samples of concurrent viewers; n counts samples.", _MINUTE),
        (
            "avg_sentiment",
            TITLES["avg_sentiment"],
            "Mean of the messages with any sentiment, −1 to 1, by VADER with a lexicon of emotes; n counts them.",
            _MINUTE,
        ),
        (
            "sentiment_coverage_ratio",
            TITLES["sentiment_coverage_ratio"],
            "Messages with any sentiment / messages, percent; the others say nothing either way. n counts messages.",
            _MINUTE,
        ),
        (
            "moments",
            "Moments",
            "Windows of 30 s (of 60 s for sentiment) that lie more than four standard deviations from what was usual "
            "before them, at least 1.6 times the usual chat, 1.25 times the usual viewers, or 0.3 off the usual mood.",
            "out_moments",
        ),
    )
)

METHOD = (
    "Everything is computed from the chat and the samples that landed, each message and each sample once, in minutes "
    "of UTC. A null is never a zero: a minute without a sample has no viewers, a message of which no word is known no "
    "sentiment.",
    "Intervals are 95 %. Those of a whole stream take five minutes as one observation, for minutes that follow each "
    "other are alike, and are left out below ten of them; those of a minute take its messages or samples as "
    "independent, which makes them too narrow rather than too wide. Counts are of all that landed and have none.",
    "A moment says that chat, viewers or mood left what was usual, not why. Each has the threshold that it passed and "
    "its distance from the usual in standard deviations (z).",
)


def value(metric: str, number: float) -> str:
    """Return a value with its unit."""
    if metric == "sentiment_coverage_ratio":
        return f"{100 * number:.1f}\u00a0%"
    if metric == "avg_sentiment":
        return f"{number:+.2f}".replace("-", "\u2212")
    return f"{number:.2f}\u00a0/s" if metric == "chat_rate" else f"{number:,.0f}"


def interval(row: Mapping[str, Any], metric: str) -> str:
    """Return both bounds of a row of [value, low, high, n], or that there are none."""
    if row["low"] is None:
        return "no interval"
    return f"{value(metric, row['low'])} to {value(metric, row['high'])}"
