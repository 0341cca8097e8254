import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from dashboards import publish
from tests.browser.conftest import CONTRAST, Watched
from tests.unit.report_pages import BAD_RELEASE, EVIL, report, sessions, unmeasured

pytestmark = pytest.mark.browser

Watch = Callable[..., Watched]
NORTH = "<b>north</b>"
INCIDENT = {
    "tenant": "alarm",
    "dimension": "cdn",
    "value": NORTH,
    "content_id": None,
    "stream_type": None,
    "metric": "failure_pct",
    "state": "open",
    "severity": "critical",
    "started_at": datetime(2026, 3, 8, tzinfo=UTC),
    "ended_at": None,
    "peak": 20.0,
    "low": 15.0,
    "high": 26.0,
    "baseline": 2.0,
    "n": 240,
    "sessions": 240,
    "share": 0.6,
    "causes": [
        {
            "dimension": "cdn",
            "value": NORTH,
            "sessions_share": 0.6,
            "share": 0.97,
            "low": 0.9,
            "high": 1.04,
            "p_value": 1e-9,
        }
    ],
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("reports")
    cores = {"bad": sessions(), "unmeasured": unmeasured(), "few": sessions(12), "empty": sessions(1).clear()}
    found = {
        name: publish.publish_qoe(directory, report(core.with_columns(tenant=pl.lit(name)), tenant=name, title=EVIL))
        for name, core in cores.items()
    }
    alarm = report(cores["bad"].with_columns(tenant=pl.lit("alarm")), tenant="alarm", incidents=[INCIDENT])
    found["alarm"] = publish.publish_qoe(directory, alarm)
    found["index"] = publish.publish_index(directory)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["bad", "unmeasured", "few"])
def test_every_figure_is_drawn_within_the_page(
    watch: Watch, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    watched = watch(width, scheme)
    watched.open(pages[name])
    watched.settle(scheme)
    page = watched.page
    assert page.locator("[data-figure]").count() == page.locator("[data-figure]:has(svg.main-svg)").count()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    spilling = page.evaluate(
        "[...document.querySelectorAll('[data-figure]')].filter(f => f.scrollWidth > f.clientWidth + 1).map(f => f.id)"
    )
    assert spilling == []
    assert watched.complaints == []
    assert watched.outside == []


def test_a_bad_release_is_the_first_thing_that_stands_out(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["bad"])
    watched.settle()
    first = watched.page.locator("#standouts li").first.inner_text()
    assert first.startswith(BAD_RELEASE)
    assert re.search(r"difference .* \(interval .*\)", first)
    assert watched.page.locator("#trend-rebuffer_pct_play .note").inner_text().startswith("Stands apart: Sun 8 Mar")


def test_senders_text_does_nothing(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["bad"])
    watched.settle()
    page = watched.page
    assert page.title().startswith("Quality of experience")
    assert page.locator("img").count() == 0
    labels = page.locator("#content_id-rebuffer_pct_play .ytick text").all_text_contents()
    assert any("<" in label for label in labels)
    assert page.locator(".figure svg a").count() == 0


def test_colours_follow_the_reader(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch(scheme="light")
    watched.open(pages["bad"])
    watched.settle()

    def ink() -> str:
        return watched.page.locator("#trend-rebuffer_pct_play .ytick text").first.evaluate(
            "t => getComputedStyle(t).fill"
        )

    light = ink()
    watched.page.emulate_media(color_scheme="dark")
    watched.settle("dark")
    assert ink() != light
    assert watched.complaints == []


def test_text_has_contrast_in_both_schemes(watch: Watch, pages: dict[str, Path]) -> None:
    for scheme in ("light", "dark"):
        watched = watch(scheme=scheme)
        watched.open(pages["bad"])
        watched.settle(scheme)
        ratios = watched.page.evaluate(CONTRAST, [".dimension"])
        assert min(ratios.values()) >= 4.5, ratios


def test_the_numbers_are_there_without_scripts(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch(390, scripts=False)
    watched.open(pages["bad"])
    watched.page.locator("#trend-rebuffer_pct_play summary").click()
    table = watched.page.locator("#trend-rebuffer_pct_play table")
    assert table.locator("tbody tr").count() == 10
    assert table.locator("thead th").all_inner_texts() == ["Day", "Metric", "Value", "95 % interval", "n", "Sessions"]


@pytest.mark.parametrize("width", [390, 1280])
def test_numbers_lead_to_the_sessions_behind_them(watch: Watch, pages: dict[str, Path], width: int) -> None:
    watched = watch(width)
    watched.open(pages["bad"])
    page = watched.page
    page.locator(".tile", has_text="Start failures").locator(".copy").click()
    said = page.locator("#headline > output.line")
    assert said.inner_text().endswith("sessions_behind('vsf_pct', tenant='bad', day='2026-03-01', until='2026-03-10')")
    page.locator("#app_version-vsf_pct summary").click()
    page.locator("#app_version-vsf_pct .copy").first.click()
    assert "app_version='2.0.0'" in page.locator("#app_version-vsf_pct output.line").inner_text()
    assert page.locator("#headline details tbody tr").count() == 30
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert watched.complaints == []


def test_incidents_tell_when_how_bad_and_why(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["alarm"])
    told = watched.page.locator("#incidents li").first.inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "Failures, CDN <b>north</b> open, critical" in told
    assert "20.0 %, where 2.00 % was expected" in told
    assert "CDN <b>north</b>: 97.0 % of the excess (interval 90.0–104.0 %) with 60.0 % of the sessions" in told
    assert watched.page.locator("#incidents b").count() == 0
    watched.open(pages["few"])
    assert "None in the last weeks" in watched.page.locator("#incidents").inner_text()


def test_the_keyboard_reaches_contents_and_tables(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["bad"])
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.textContent") == "Skip to content"
    watched.page.locator("#trend-rebuffer_pct_play summary").focus()
    watched.page.keyboard.press("Enter")
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.getAttribute('role')") == "region"


def test_a_figure_shows_its_numbers_under_the_pointer(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["bad"])
    watched.settle()
    point = watched.page.locator("#app_version-rebuffer_pct_play .points path").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    watched.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    text = watched.page.locator("#app_version-rebuffer_pct_play .hovertext")
    text.wait_for()
    assert BAD_RELEASE in (text.text_content() or "")
    assert "n = " in (text.text_content() or "")


@pytest.mark.parametrize("name", ["empty", "index"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_without_figures_are_whole(watch: Watch, pages: dict[str, Path], name: str, width: int) -> None:
    watched = watch(width)
    watched.open(pages[name])
    assert watched.page.locator("h1").count() == 1
    assert watched.page.evaluate("document.documentElement.scrollWidth") == width
    assert watched.complaints == []
    assert watched.outside == []


def test_the_index_leads_to_the_page_and_back(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["index"])
    watched.page.get_by_role("link", name="Quality of experience").first.click()
    watched.page.get_by_role("link", name="All reports").click()
    assert watched.page.url == pages["index"].as_uri()
