"""The page of watch progress: its numbers are those of `/progress`, its text is escaped, what is unknown is said."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from dashboards.choices import Choice, ChoicePage
from dashboards.progress_page import page
from dashboards.progress_report import ProgressReport
from tests.unit.progress_pages import placed, report, watches
from tests.unit.report_pages import EVIL
from tests.unit.watch_frames import AUCKLAND, NOW, core, episode, minutes, watch
from warehouse.metrics import progress_daily
from warehouse.metrics.progress import progress


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return placed(watches())


@pytest.fixture(scope="module")
def built(rows: pl.DataFrame) -> ProgressReport:
    return report(rows)


@pytest.fixture(scope="module")
def laid_out(built: ProgressReport) -> ChoicePage:
    return page(built)


def block(page: ChoicePage, name: str = "alice") -> Choice:
    return next(user for user in page.choices if user.name == name)


def values(block: Choice) -> dict[str, str]:
    return {tile.title: tile.value.replace("\u00a0", " ") for tile in block.tiles}


@pytest.mark.parametrize(("user_id", "zone"), [("alice", AUCKLAND), (EVIL, ZoneInfo("Europe/Berlin"))])
def test_the_numbers_are_those_of_progress_at_the_same_clock(
    rows: pl.DataFrame, laid_out: ChoicePage, user_id: str, zone: ZoneInfo
) -> None:
    own = rows.filter(pl.col("user_id") == user_id)
    told = progress(progress_daily.aggregate(own), own, now=NOW, zone=zone)
    user = block(laid_out, user_id)
    shown = values(user)
    assert shown["Watched"] == f"{told.total_hours_watched} h"
    assert shown["History"].startswith(f"{told.days_since_first_episode} ")
    counts = (told.total_episodes_watched, told.total_movies_watched)
    counts += (told.youtube_videos_watched, told.spotify_episodes_watched)
    assert tuple(int(shown[title]) for title in ("Episodes", "Movies", "YouTube", "Podcasts")) == counts
    tables = {card.title: card.table for section in user.sections for card in section.cards}
    quarters = tables["Hours so far, by quarter"]
    assert quarters
    assert quarters.rows == tuple((point.label, f"{point.cumulative_hours:,}") for point in told.all_time_progress)
    today = told.daily_activity[-1].minutes_watched
    assert shown["Today"] in {f"{today} min", f"{today // 60} h {today % 60} min"}


def test_the_trend_and_the_goals_of_the_user_are_there(laid_out: ChoicePage) -> None:
    tiles = {tile.title: tile for tile in block(laid_out).tiles}
    assert tiles["Weekly trend"].value == "+60.7\u00a0%"
    assert (tiles["Daily goal"].count, tiles["Daily goal"].more) == ("of 30\u00a0min, met", "streak 1, longest 10")
    assert tiles["Weekly goal, de"].count == "of 1\u00a0h"
    other = {tile.title: tile for tile in block(laid_out, EVIL).tiles}
    assert (other["Weekly trend"].value, other["Weekly trend"].known) == ("none yet", False)
    assert (other["Daily goal"].value, other["Daily goal"].known) == ("not set", False)


def test_what_is_estimated_is_said() -> None:
    user = block(page(report(core([episode("Show", "e1"), episode("Show", "e2"), minutes(90)]))))
    assert values(user)["Estimated"] == "40 min"
    confidence = next(card for section in user.sections for card in section.cards if card.title == "By confidence")
    assert "20 minutes" in confidence.definition
    assert confidence.table
    assert [row[0] for row in confidence.table.rows] == ["Synced, length known", "Estimated"]


def test_what_is_not_described_is_listed_by_what_mends_it() -> None:
    rows = [
        *(episode("Nameless", f"e{n}") for n in range(3)),
        episode("Waiting", "e1", tvdb_id=5),
        watch("youtube", "gone", enrichment="failed"),
        watch("movie", "film.mkv", tmdb_id=603),
        minutes(5),
    ]
    (listing,) = block(page(report(core(rows)))).listings
    table = listing.table
    assert [row[:4] for row in table.rows] == [
        ("gone", "YouTube", "1", "not known"),
        ("Nameless", "Episodes", "3", "pending"),
        ("Waiting", "Episodes", "1", "pending"),
        ("film.mkv", "Movies", "1", "pending"),
    ]
    assert "playhead sync asks" in table.rows[1][4]
    assert "Waits for TVDB" in table.rows[2][4]
    assert "Waits for TMDB" in table.rows[3][4]
    assert block(page(report(core([minutes(5)])))).listings == ()


def test_a_user_in_another_zone_has_other_days() -> None:
    at = NOW.replace(hour=12)  # 01:00 of the next day in Auckland
    rows = [minutes(10, at), minutes(10, at) | {"user_id": "bob"}]
    built = report(core(rows, {("t", "bob"): "UTC"}), built_at=NOW + timedelta(days=1))
    days = {user.user_id: user.days.filter(pl.col("items") > 0)["day"].to_list() for user in built.users}
    assert days["alice"] == [NOW.date() + timedelta(days=1)]
    assert days["bob"] == [NOW.date()]


def test_other_tenants_are_ignored(rows: pl.DataFrame, built: ProgressReport) -> None:
    both = pl.concat([rows, rows.with_columns(tenant=pl.lit("other"))])
    assert [user.progress for user in report(both).users] == [user.progress for user in built.users]
    assert report(both).rows == built.rows


def test_watches_dated_ahead_count_in_totals_only() -> None:
    user = report(core([minutes(120), minutes(180, NOW + timedelta(days=3))])).users[0]
    assert user.total_s == 300 * 60
    assert user.weeks["watched_s"].sum() == user.days["watched_s"].sum() == 120 * 60


def test_old_watches_leave_the_calendar_empty_and_count() -> None:
    user = block(page(report(core([minutes(120, NOW - timedelta(days=900))]))))
    cards = {card.title: card for section in user.sections for card in section.cards}
    assert cards["Day by day"].figure is None
    assert cards["Week by week"].figure is None
    assert cards["Hours so far, by quarter"].figure is not None
    assert values(user)["Watched"] == "2 h"


def test_every_figure_states_its_definition_and_source_and_has_its_numbers_in_a_table(laid_out: ChoicePage) -> None:
    cards = [card for user in laid_out.choices for section in user.sections for card in section.cards]
    for card in cards:
        assert card.definition
        assert card.source == "out_progress_daily"
        assert card.figure is not None
        assert card.description
        assert card.table
        assert card.table.rows
    assert len({card.anchor for card in cards}) == len(cards)


def test_without_watches_there_are_no_users(rows: pl.DataFrame) -> None:
    empty = page(report(rows.clear()))
    assert empty.choices == ()
    assert empty.size == "0 users, 0 hours"
