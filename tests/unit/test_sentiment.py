"""Sentiment of chat: VADER, emotes, and messages of which nothing is known."""

import polars as pl
import pytest

from warehouse.metrics.sentiment import Sentiment, default_emotes


@pytest.fixture(scope="module")
def sentiment():
    return Sentiment()


def test_emotes_are_known_beside_words(sentiment):
    plain = Sentiment({})
    assert plain.of("POG KEKW") is None
    assert sentiment.of("POG KEKW") > 0.5
    assert sentiment.of("Sadge") < -0.3
    assert sentiment.of("草") > 0
    assert sentiment.of("what a great run") == plain.of("what a great run") > 0.5


def test_what_nobody_knows_has_no_sentiment(sentiment):
    assert [sentiment.of(text) for text in ("", "table 7", "それは机です", "!!!")] == [None] * 4


def test_good_and_bad_that_cancel_out_are_a_zero_and_not_unknown():
    assert Sentiment({"up": 2.0, "down": -2.0}).of("up down") == 0.0


def test_an_own_lexicon_replaces_the_one_that_is_shipped():
    own = Sentiment({"MyEmote": -3.0})
    assert own.of("myemote") < -0.5
    assert own.of("KEKW") is None


def test_a_column_is_scored_and_listed_emotes_count_once(sentiment):
    chat = pl.DataFrame(
        {
            "message": ["hi", "hi", "hi PogChamp", None],
            "emotes": [[], ["PogChamp", "PogChamp"], ["PogChamp"], None],
        }
    )
    assert sentiment.of_all(chat).to_list() == [None, *[sentiment.of("hi PogChamp")] * 2, None]


def test_the_lexicon_stays_in_vaders_scale():
    values = default_emotes()
    assert len(values) > 50
    assert all(-4 <= value <= 4 and name == name.lower() for name, value in values.items())
