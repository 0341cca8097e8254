"""The pages of live streams and engagement: numbers with interval and n, nothing said of what was not measured."""

import polars as pl
import pytest

from dashboards import engagement_page, streams_page
from dashboards.choices import ChoicePage
from tests.unit import live_pages
from tests.unit.report_pages import EVIL


@pytest.fixture(scope="module")
def streams() -> ChoicePage:
    return streams_page.page(live_pages.streams(title=EVIL))


@pytest.fixture(scope="module")
def engagement() -> ChoicePage:
    few = live_pages.watched(3, "few")
    return engagement_page.page(live_pages.engaged(pl.concat([live_pages.watched(), few])))


def tiles(page: ChoicePage, number: int) -> dict[str, tuple[str, str, str]]:
    return {
        tile.title: (tile.value.replace("\u00a0", " "), tile.interval, tile.count)
        for tile in page.choices[number].tiles
    }


def test_a_stream_is_told_with_intervals(streams: ChoicePage) -> None:
    assert (streams.size, [choice.name for choice in streams.choices]) == ("2 streams, 8,541 messages", [EVIL, "short"])
    told = tiles(streams, 0)
    assert told["Messages"][0] == "8,541"
    assert told["Chatters"][0] == "40"
    for title, n in (
        ("Messages a second", "n = 70"),
        ("Viewers, mean", "n = 420"),
        ("Messages with sentiment", "n = 8,541"),
    ):
        assert " to " in told[title][1]
        assert told[title][2] == n
    assert tiles(streams, 1)["Sentiment, mean"][0] == "not measured"
    assert tiles(streams, 1)["Viewers, mean"] == ("7", "no interval", "n = 2")


def test_the_burst_is_listed_with_its_evidence(streams: ChoicePage) -> None:
    (listing,) = streams.choices[0].listings
    spikes = [row for row in listing.table.rows if row[1] == "Chat spike"]
    assert len(spikes) == 1
    assert spikes[0][0].startswith("2026-03-01 12:40")
    assert "messages" in spikes[0][6]
    assert streams.choices[1].listings[0].table.rows == ()


def test_only_the_end_of_a_long_stream_is_drawn() -> None:
    tables = live_pages.tables()
    later = pl.col("window_start", "window_end").dt.offset_by("10h")
    longer = pl.concat([tables.minutes, tables.minutes.with_columns(later)])
    report = live_pages.streams(live_pages.Tables(longer, tables.moments, tables.streams, tables.chat, tables.viewers))
    assert report.streams[0].minutes.height == live_pages.MINUTES
    assert report.streams[0].messages == 2 * 8_541


def test_every_figure_has_definition_source_and_its_numbers_in_a_table(
    streams: ChoicePage, engagement: ChoicePage
) -> None:
    for page in (streams, engagement):
        cards = [card for choice in page.choices for section in choice.sections for card in section.cards]
        for card in cards:
            assert card.definition
            assert card.source
            assert (card.figure is None) == (not card.table or not card.table.rows)
        assert len({card.anchor for card in cards}) == len(cards)
        defined = {definition.name for definition in page.definitions}
        assert {tile.metric for choice in page.choices for tile in choice.tiles} == defined


def test_shares_of_sessions_have_interval_and_n(engagement: ChoicePage) -> None:
    assert engagement.size == "2 titles, 33 sessions"
    told = tiles(engagement, 0)
    assert told["To the end"][0] == "23.3 %", "7 of 30"
    assert (told["To the end"][1].replace("\u00a0", " "), told["To the end"][2]) == ("11.8–40.9 %", "n = 30")
    assert tiles(engagement, 1)["To the end"][0] == "too few"
    reached, left, again = engagement.choices[0].sections[0].cards
    assert reached.note == "Half of the sessions had left at 1:00."
    assert reached.table
    assert left.table
    assert again.table
    assert reached.table.rows[0] == ("0:00 to 0:01", "100.0\u00a0%", "88.6–100.0\u00a0%", "30")
    assert left.table.rows[0][0] == "0:00 to 0:05"
    assert sum(int(row[1]) for row in again.table.rows) == 10 * 10


def test_without_data_the_pages_say_so() -> None:
    tables = live_pages.tables()
    nothing = streams_page.page(live_pages.streams(tables, tenant="other"))
    assert (nothing.choices, nothing.size) == ((), "0 streams, 0 messages")
    nobody = engagement_page.page(live_pages.engaged(live_pages.watched(), tenant="other"))
    assert (nobody.choices, nobody.overview, nobody.size) == ((), (), "0 titles, 0 sessions")
