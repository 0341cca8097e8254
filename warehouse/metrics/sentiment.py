"""The sentiment of chat messages: VADER with a lexicon of emotes beside it.

VADER scores POG, KEKW, Japanese and French as 0; what emotes say stands in `emotes.toml`, which settings may override.
A message of which neither knows a word has no sentiment, which is a null and no zero: the share of the others is the
coverage that stands beside every mean. Aggregates are in `chat` and `live_bins`; how they add up exactly is here.

Source: Hutto & Gilbert, VADER, ICWSM 2014.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

import polars as pl
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

MAX_CHARS = 500
"""A chat message is no longer (Twitch's limit); VADER's time grows with the square of the words."""

REMEMBERED = 65_536
"""Messages whose score is remembered: chat repeats itself, and the live path reads it again each second."""

_PER_UNIT = 10_000
"""VADER says four decimals."""


def exact_sum() -> pl.Expr:
    """Return the sum of the column `sentiment`, added up in VADER's own precision: no order of rows changes it."""
    return (pl.col("sentiment") * _PER_UNIT).round().cast(pl.Int64).sum() / _PER_UNIT


def default_emotes() -> dict[str, float]:
    """Return the lexicon that is shipped: emote in lower case, -4 to 4."""
    text = resources.files("warehouse.metrics").joinpath("emotes.toml").read_text(encoding="utf-8")
    return {name: float(value) for name, value in tomllib.loads(text).items()}


class Sentiment:
    """VADER and the emotes that it shall know, `default_emotes()` unless others are given."""

    def __init__(self, emotes: Mapping[str, float] | None = None) -> None:
        self._analyzer = SentimentIntensityAnalyzer()
        known = default_emotes() if emotes is None else emotes
        self._analyzer.lexicon.update({name.lower(): value for name, value in known.items()})
        self._scored = lru_cache(REMEMBERED)(self._score)

    def of(self, message: str) -> float | None:
        """Return VADER's compound score, -1 to 1; None where no word of the message has one."""
        return self._scored(message[:MAX_CHARS])

    def _score(self, message: str) -> float | None:
        scores: dict[str, float] = self._analyzer.polarity_scores(message)
        return scores["compound"] if scores["pos"] or scores["neg"] else None

    def of_all(self, chat: pl.DataFrame) -> pl.Series:
        """Return `sentiment` of every row of [message, emotes], each text scored once.

        An emote that is listed but not a word of the message is read as if it stood at the end of it.
        """
        written = zip(chat["message"].to_list(), chat["emotes"].to_list(), strict=True)
        texts = [_with_emotes(message or "", emotes or []) for message, emotes in written]
        scored = {text: self.of(text) for text in set(texts)}
        return pl.Series("sentiment", [scored[text] for text in texts], dtype=pl.Float64)


def _with_emotes(message: str, emotes: list[str]) -> str:
    if not emotes:
        return message
    words = set(message.split())
    return " ".join([message[:MAX_CHARS], *dict.fromkeys(emote for emote in emotes if emote not in words)])
