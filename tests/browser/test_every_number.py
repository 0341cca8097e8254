"""Every number of the QoE page that is an estimate stands beside its interval and its n, and leads to its meaning."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from dashboards import publish
from tests.browser.conftest import Watched
from tests.unit.report_pages import report, sessions, unmeasured
from warehouse.metrics.registry import METRICS

pytestmark = pytest.mark.browser

Watch = Callable[..., Watched]

WALK = r"""() => {
  // Whatever carries a unit is an estimate, but for what defines one, marks an axis, or tells of a single session;
  // hours of play are a sum.
  const number = /[\d.,]+\s*(%|ms|s|points|kbit\/s|Mbit\/s|\/h|\/min)(?![\w/])/;
  const apart =
    ".definition, .lead, thead, #heaviest, #worst, #method, [class$=axislayer-above], script, style, caption";
  const holder = ".tile, tr, .standouts p, .infolayer .annotation, article";
  const found = [];
  const tell = (text, node) => {
    const near = node.closest(holder);
    const kind = near ? `${near.tagName}.${near.getAttribute("class")}` : "";
    found.push({ text, kind, near: near ? near.textContent : "" });
  };
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (number.test(node.textContent) && !node.parentElement.closest(apart)) tell(node.textContent, node.parentElement);
  }
  const spoken = [...document.querySelectorAll("[aria-label]")].map((node) => node.getAttribute("aria-label"));
  const hovered = [...document.querySelectorAll(".figure")].flatMap((figure) =>
    figure.data.flatMap((trace) => (trace.hovertext ?? []).filter((text) => text)));
  const drawn = [...document.querySelectorAll(".figure")].map((figure) => figure.data.length);
  return { found, spoken, hovered, drawn };
}"""
INTERVAL = re.compile(r"[−\d.,]+(–| to )[−\d.,]+|none, the sessions do not differ")
SPOKEN = re.compile(r"(lowest|highest|median|p\d\d:) ")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("reports")
    cores = {"bad": sessions(), "unmeasured": unmeasured(), "few": sessions(12)}
    found = {
        name: publish.publish_qoe(directory, report(core.with_columns(tenant=pl.lit(name)), tenant=name))
        for name, core in cores.items()
    }
    return found | {"metrics": publish.publish_metrics(directory), "index": publish.publish_index(directory)}


def opened(watch: Watch, page: Path) -> Watched:
    watched = watch()
    watched.open(page)
    watched.page.wait_for_selector("html[data-drawn=light]", timeout=60_000)
    return watched


@pytest.mark.parametrize("name", ["bad", "unmeasured", "few"])
def test_every_estimate_shows_its_interval_and_its_n(watch: Watch, pages: dict[str, Path], name: str) -> None:
    walked = opened(watch, pages[name]).page.evaluate(WALK)
    for number in walked["found"]:
        if number["kind"].startswith("TR"):
            assert re.search(r"\d\s*(Sessions)?\s*$", number["near"]), number
        elif "annotation" not in number["kind"]:
            assert re.search(r"n = \d", number["near"]), number
        assert INTERVAL.search(number["near"]), number
    for text in walked["hovered"]:
        assert "95 % interval" in text, text
        assert re.search(r"n = \d", text), text
    for text in walked["spoken"]:
        if SPOKEN.search(text) and "too few" not in text and "not measured" not in text:
            assert "95 % interval" in text, text
            assert "n = " in text, text
    if name == "bad":
        assert len(walked["found"]) > 100
        assert len(walked["hovered"]) > 100


def test_tables_show_an_interval_and_an_n_beside_every_value(watch: Watch, pages: dict[str, Path]) -> None:
    page = opened(watch, pages["bad"]).page
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    for table in page.locator("details:not(#heaviest) table").all():
        assert table.locator("thead th").all_inner_texts()[1:5] == ["Metric", "Value", "95 % interval", "n"]
        for row in table.locator("tbody tr").all():
            value, between, n = row.locator("td").all_inner_texts()[1:4]
            assert re.fullmatch(r"[\d,]+", n)
            assert (value in {"too few", "not measured"}) == (between == "–")


def test_a_slice_too_small_says_so(watch: Watch, pages: dict[str, Path]) -> None:
    page = opened(watch, pages["few"]).page
    values = page.locator(".tile .value").all_inner_texts()
    assert values[0] == "12"
    assert set(values[2:]) == {"too few"}
    assert "n = 12" in page.locator(".tile").nth(4).inner_text()


def test_every_label_leads_to_its_meaning(watch: Watch, pages: dict[str, Path]) -> None:
    watched = opened(watch, pages["bad"])
    page = watched.page
    labels = {link.inner_text(): link.get_attribute("href") for link in page.locator(".tile h3 a, .standouts a").all()}
    links = page.locator("a[href*='metrics.html#']").evaluate_all("links => links.map((link) => link.hash.slice(1))")
    assert all(METRICS[str(href).split("#")[1]].title == title for title, href in labels.items())
    assert set(links) <= set(METRICS)
    assert page.locator("article .definition:not(:has(a))").count() == 0
    page.get_by_role("link", name="Startup, p95").first.click()
    assert page.url == f"{pages['metrics'].as_uri()}#startup_ms_p95"
    assert page.locator(":target h3").inner_text().startswith("Startup, p95")
    assert watched.complaints == []


def test_the_page_of_metrics_tells_all_of_the_registry(watch: Watch, pages: dict[str, Path]) -> None:
    for width in (390, 1280):
        watched = watch(width)
        watched.open(pages["index"])
        page = watched.page
        page.get_by_role("link", name="Metrics").click()
        assert page.locator("article").evaluate_all("nodes => nodes.map((node) => node.id)") == list(METRICS)
        for name, metric in METRICS.items():
            text = page.locator(f"article#{name}").inner_text()
            assert all(
                part in text for part in (metric.title, metric.formula, metric.nulls, metric.source, metric.table)
            )
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert watched.complaints == []
