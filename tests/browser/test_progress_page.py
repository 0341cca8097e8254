from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dashboards import publish
from tests.browser.conftest import CONTRAST, Watched
from tests.unit.progress_pages import placed, report, watches
from tests.unit.report_pages import EVIL

pytestmark = pytest.mark.browser

Watch = Callable[..., Watched]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("reports")
    core = placed(watches())
    return {
        "two": publish.publish_progress(directory, report(core, title=EVIL)),
        "empty": publish.publish_progress(directory / "other", report(core.clear())),
    }


def choose(watched: Watched, name: str, scheme: str = "light") -> None:
    watched.page.select_option("#chooser", label=name)
    watched.settle(scheme)


def drawn(page: Page) -> tuple[int, int]:
    return (
        page.locator("[data-figure]:visible").count(),
        page.locator("[data-figure]:visible:has(svg.main-svg)").count(),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_figure_of_either_user_is_drawn_within_the_page(
    watch: Watch, pages: dict[str, Path], width: int, scheme: str
) -> None:
    watched = watch(width, scheme)
    watched.open(pages["two"])
    watched.settle(scheme)
    for name in ("alice", EVIL):
        choose(watched, name, scheme)
        asked, done = drawn(watched.page)
        assert asked == done == 7
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width
        spilling = watched.page.evaluate(
            "[...document.querySelectorAll('[data-figure]')].filter(f => f.scrollWidth > f.clientWidth + 1).length"
        )
        assert spilling == 0
    assert watched.complaints == []
    assert watched.outside == []


def test_one_user_is_shown_at_a_time(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["two"])
    watched.settle()
    headings = watched.page.locator(".choice > section:first-child h2:visible")
    assert headings.all_inner_texts() == [EVIL]
    choose(watched, "alice")
    assert headings.all_inner_texts() == ["alice"]


def test_without_scripts_every_user_and_every_number_is_there(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch(390, scripts=False)
    watched.open(pages["two"])
    assert watched.page.locator(".choice:visible").count() == 2
    card = watched.page.locator("#user-2-cumulative")
    card.locator("summary").click()
    assert card.locator("thead th").all_inner_texts() == ["Quarter from", "Hours so far"]
    assert card.locator("tbody th").first.inner_text() == "Jan 2025"


def test_senders_text_does_nothing(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["two"])
    choose(watched, "alice")
    assert watched.page.title().startswith("Watch progress")
    assert watched.page.locator("img").count() == 0
    labels = watched.page.locator("#user-2-top .ytick text").all_text_contents()
    assert any("<" in label for label in labels)
    assert watched.page.locator(".figure svg a").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(watch: Watch, pages: dict[str, Path], scheme: str) -> None:
    watched = watch(scheme=scheme)
    watched.open(pages["two"])
    watched.settle(scheme)
    ratios = watched.page.evaluate(CONTRAST, ["select", ".chooser label", "th"])
    assert min(ratios.values()) >= 4.5, ratios


def test_a_day_shows_its_time_under_the_pointer(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["two"])
    choose(watched, "alice")
    plot = watched.page.locator("#user-2-calendar .nsewdrag")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    watched.page.mouse.move(box["x"] + box["width"] - 6, box["y"] + box["height"] * 2.6 / 7.2)
    text = watched.page.locator("#user-2-calendar .hovertext")
    text.wait_for()
    assert "Wed 18 Mar 2026" in (text.text_content() or "")


def test_without_watches_the_page_says_so(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch(390)
    watched.open(pages["empty"])
    assert "Nothing has been watched yet" in watched.page.locator("main").inner_text()
    assert watched.page.locator("#chooser").count() == 0
    assert watched.complaints == []
