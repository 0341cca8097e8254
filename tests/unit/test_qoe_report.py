from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dashboards.qoe_page import page
from tests.unit.report_pages import BAD_DAY, BAD_RELEASE, report, sessions, unmeasured
from tests.unit.session_frames import DAY


def test_a_bad_release_is_plain_in_the_report() -> None:
    built = report(sessions())
    marked = built.marked.filter(pl.col("metric").is_in(["rebuffer_pct_play", "vsf_pct"]))
    assert set(marked["day"]) == {DAY + timedelta(days=BAD_DAY)}
    first = built.standouts.row(0, named=True)
    assert (first["dimension"], first["segment"]) == ("app_version", BAD_RELEASE)
    stalls = built.dimensions.filter((pl.col("metric") == "rebuffer_pct_play") & (pl.col("dimension") == "app_version"))
    assert stalls.sort("value")["segment"][-1] == BAD_RELEASE


def test_counts_are_those_of_core() -> None:
    core = sessions()
    built = report(core)
    assert built.sessions == core.height == built.rows["core_sessions"]
    assert built.play_hours == pytest.approx(core["play_ms"].sum() / 3_600_000)
    assert int(built.startup_bins["n"].sum()) == core["startup_ms"].count()
    assert built.outcomes.group_by("day").agg(pl.col("n").sum() == pl.col("of").first())["n"].all()


def test_other_tenants_are_ignored() -> None:
    core = sessions()
    both = pl.concat([core, core.with_columns(tenant=pl.lit("other"))])
    assert report(both).sessions == core.height
    assert_frame_equal(report(both).summary, report(core).summary)


def test_the_page_names_what_was_not_measured() -> None:
    tiles = {tile.metric: tile for tile in page(report(unmeasured())).tiles}
    assert (tiles["startup_ms_p50"].value, tiles["startup_ms_p50"].count) == ("not measured", "n = 0")
    assert tiles["bitrate_bps"].known
    assert tiles["bitrate_bps"].interval


def test_too_few_sessions_have_no_numbers() -> None:
    tiles = {tile.metric: tile for tile in page(report(sessions(12))).tiles}
    assert tiles["rebuffer_pct_play"].value == "too few"
    assert tiles["sessions"].value == "12"


def test_stalls_are_counted_where_they_were_not_timed() -> None:
    cards = {card.anchor: card for section in page(report(unmeasured())).sections for card in section.cards}
    assert cards["content_id-rebuffers_per_hour"].figure is not None


def test_without_sessions_there_are_no_sections() -> None:
    empty = page(report(sessions(1).clear()))
    assert empty.sections == ()
    assert empty.period == "no sessions yet"


def test_every_figure_states_its_definition_and_source_and_has_its_numbers_in_a_table() -> None:
    cards = [card for section in page(report(sessions())).sections for card in section.cards]
    assert len(cards) > 10
    for card in cards:
        assert card.definition
        assert card.source.startswith("out_qoe_")
        assert card.figure is not None
        assert card.description
        assert card.table
        assert card.table.rows
    assert len({card.anchor for card in cards}) == len(cards)
