import itertools
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import polars as pl
import pytest

from dashboards import publish
from tests.unit import live_pages, progress_pages
from tests.unit.report_pages import EVIL, report, sessions

TAG = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


class Elements(HTMLParser):
    """Collects the elements of a page and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: Path) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser.found


def qoe(directory: Path) -> Path:
    return publish.publish_qoe(directory, report(sessions(), title=EVIL))


def progress(directory: Path) -> Path:
    core = progress_pages.placed(progress_pages.watches())
    return publish.publish_progress(directory, progress_pages.report(core, title=EVIL))


def streams(directory: Path) -> Path:
    return publish.publish_streams(directory, live_pages.streams(title=EVIL))


def engagement(directory: Path) -> Path:
    return publish.publish_engagement(directory, live_pages.engaged(live_pages.watched(), title=EVIL))


PAGES = (qoe, progress, streams, engagement)
each_page = pytest.mark.parametrize("publish_page", PAGES, ids=[page.__name__ for page in PAGES])


@each_page
def test_senders_text_is_text_everywhere(tmp_path: Path, publish_page: Callable[[Path], Path]) -> None:
    page = publish_page(tmp_path)
    found = elements(page)
    assert not [attributes for tag, attributes in found if tag in {"img", "iframe", "object"}]
    assert not [name for _, attributes in found for name in attributes if name.startswith("on")]
    html = page.read_text(encoding="utf-8")
    assert html.count("</script>") == len(TAG.findall(html)) == html.count("<script")
    assert "&lt;/script&gt;" in html
    for attributes, body in TAG.findall(html):
        if "application/json" in attributes:
            assert "<" not in body
            json.loads(body)


def test_scripts_are_only_ours(tmp_path: Path) -> None:
    page = publish.publish_qoe(tmp_path, report(sessions(200)))
    policy = next(a["content"] for tag, a in elements(page) if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'self' file: 'sha256-")
    assert "unsafe-eval" not in policy
    sources = [a["src"] for tag, a in elements(page) if tag == "script" and "src" in a]
    assert sources == ["../plotly.min.js"]
    assert "://" not in "".join(a.get("href") or "" for tag, a in elements(page) if tag in {"a", "link"})


def test_plotly_is_written_once(tmp_path: Path) -> None:
    publish.publish_qoe(tmp_path, report(sessions(40)))
    script = tmp_path / publish.PLOTLY_FILE
    before = script.stat().st_mtime_ns
    publish.publish_qoe(tmp_path, report(sessions(40), tenant="t"))
    assert script.stat().st_mtime_ns == before
    script.write_text("an older plotly", encoding="utf-8")
    publish.publish_qoe(tmp_path, report(sessions(40)))
    assert script.stat().st_size > 1_000_000


def test_nothing_but_whole_files_is_left(tmp_path: Path) -> None:
    publish.publish_qoe(tmp_path, report(sessions(40)))
    publish.publish_index(tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"index.html", "plotly.min.js", "t/qoe.html"}


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    page = publish.publish_qoe(tmp_path, report(sessions(40)))
    before = page.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        publish.publish_qoe(tmp_path, report(sessions(40), definition_version="\ud800"))
    assert page.read_bytes() == before
    assert [path.name for path in page.parent.iterdir()] == ["qoe.html"]


def test_without_data_the_page_says_so(tmp_path: Path) -> None:
    html = publish.publish_qoe(tmp_path, report(sessions(1).clear())).read_text(encoding="utf-8")
    assert "No sessions in this period" in html
    assert "data-figure=" not in html


@each_page
def test_headings_never_skip_a_level(tmp_path: Path, publish_page: Callable[[Path], Path]) -> None:
    found = elements(publish_page(tmp_path))
    levels = [int(tag[1]) for tag, _ in found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@each_page
def test_ids_are_unique_and_links_lead_somewhere(tmp_path: Path, publish_page: Callable[[Path], Path]) -> None:
    found = elements(publish_page(tmp_path))
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    targets = {(a["href"] or "")[1:] for tag, a in found if tag == "a" and (a.get("href") or "").startswith("#")}
    assert targets <= set(ids)


@pytest.mark.parametrize("tenant", ["../up", "A", "a", ".", "con/x", "ü" * 128, "", "x" * 128])
def test_a_tenant_stays_in_its_own_folder(tmp_path: Path, tenant: str) -> None:
    folder = publish.tenant_folder(tenant)
    assert (tmp_path / folder).resolve().parent == tmp_path.resolve()
    assert len(folder.encode()) < 128
    assert re.fullmatch(r"[a-z0-9._-]+", folder)


def test_tenants_never_share_a_folder() -> None:
    tenants = ["a", "A", "a b", "a-b", "a/b", "ä"]
    assert len({publish.tenant_folder(tenant) for tenant in tenants}) == len(tenants)


def test_the_index_lists_the_pages_that_are_there_by_tenant(tmp_path: Path) -> None:
    qoe(tmp_path)
    publish.publish_qoe(tmp_path, report(sessions(40), tenant=None))
    core = progress_pages.placed(progress_pages.watches(3))
    for tenant in (EVIL, "t"):
        publish.publish_progress(
            tmp_path, progress_pages.report(core.with_columns(tenant=pl.lit(tenant)), tenant=tenant)
        )
    (tmp_path / "t" / "own.html").write_text("<title>not a page of ours</title>", encoding="utf-8")
    evil = f"{publish.tenant_folder(EVIL)}/progress.html"
    for _ in range(2):
        page = publish.publish_index(tmp_path)
        links = [a["href"] for tag, a in elements(page) if tag == "a"]
        assert links == ["#main", "qoe.html", evil, "t/qoe.html", "t/progress.html", "metrics.html"]
    html = page.read_text(encoding="utf-8")
    assert "<img" not in html
    assert "2,400 sessions, 1 Mar – 10 Mar 2026 · built 2026-03-20 06:30 UTC" in html


def test_an_empty_index_says_so(tmp_path: Path) -> None:
    assert "No report has been published yet" in publish.publish_index(tmp_path).read_text(encoding="utf-8")


def test_a_figure_with_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        publish.figure_json(go.Figure(data=[{"type": "scatter", "y": [float("nan")]}]))
