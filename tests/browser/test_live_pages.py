"""streams.html and engagement.html as their readers meet them."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from dashboards import publish
from tests.browser.conftest import CONTRAST, Watched
from tests.unit import live_pages
from tests.unit.report_pages import EVIL

pytestmark = pytest.mark.browser

Watch = Callable[..., Watched]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("reports")
    both = pl.concat([live_pages.watched(), live_pages.watched(25, "other")])
    return {
        "streams": publish.publish_streams(directory, live_pages.streams(title=EVIL)),
        "engagement": publish.publish_engagement(directory, live_pages.engaged(both, title=EVIL)),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(("name", "figures"), [("streams", (4, 1)), ("engagement", (4, 4))])
def test_every_figure_of_each_choice_is_drawn_within_the_page(
    watch: Watch, pages: dict[str, Path], name: str, figures: tuple[int, int], width: int, scheme: str
) -> None:
    watched = watch(width, scheme)
    page = watched.page
    watched.open(pages[name])
    watched.settle(scheme)
    for number, wanted in enumerate(figures):
        page.select_option("#chooser", index=number)
        watched.settle(scheme)
        assert page.locator(".choice:visible").count() == 1
        assert page.locator("[data-figure]:visible:has(svg.main-svg)").count() == wanted
        assert page.evaluate("document.documentElement.scrollWidth") == width
        tiles = "[...document.querySelectorAll('.choice:not([hidden]) .tile p')]"
        assert page.evaluate(f"{tiles}.filter(p => p.scrollWidth > p.clientWidth + 1).length") == 0
    assert page.locator("img").count() == 0
    assert (watched.complaints, watched.outside) == ([], [])
    assert min(page.evaluate(CONTRAST, ["select", "th"]).values()) >= 4.5


def test_a_moment_and_a_minute_tell_what_they_are_under_the_pointer(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch()
    watched.open(pages["streams"])
    watched.settle()
    plot = watched.page.locator("#stream-1-avg-viewers .nsewdrag")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    watched.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    text = watched.page.locator("#stream-1-avg-viewers .hovertext")
    text.first.wait_for()
    assert "95 % interval" in (text.first.text_content() or "")
    assert "n = 6" in (text.first.text_content() or "")


def test_without_scripts_every_number_is_there(watch: Watch, pages: dict[str, Path]) -> None:
    watched = watch(390, scripts=False)
    watched.open(pages["streams"])
    assert watched.page.locator(".choice:visible").count() == 2
    card = watched.page.locator("#stream-1-avg-viewers")
    card.locator("summary").click()
    assert card.locator("thead th").all_inner_texts() == ["Minute", "Viewers, mean", "95 % interval", "Samples"]
    assert card.locator("tbody tr").count() == live_pages.MINUTES
