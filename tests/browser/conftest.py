"""Chromium as Debian installs it, and pages that report what went wrong in them."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLED_MS = 60_000
LOCAL = ("file://", "data:", "blob:", "http://127.0.0.1", "ws://127.0.0.1")


@dataclass
class Watched:
    """A page, what its console complained of, and what it asked of other hosts."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._on_request)

    def open(self, path: Path) -> None:
        self.page.goto(path.as_uri())

    def settle(self, scheme: str = "light") -> None:
        """Wait until every figure is drawn."""
        self.page.wait_for_selector(f"html[data-drawn={scheme}]", timeout=SETTLED_MS)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "trace"}:
            self.complaints.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(LOCAL):
            self.outside.append(request.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a new page of some width and colour scheme."""
    contexts = []

    def new(width: int = 1280, scheme: str = "light", *, scripts: bool = True) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        return Watched(context.new_page())

    yield new
    for context in contexts:
        context.close()


CONTRAST = """(more) => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  const texts = ["h1", ".lead", ".definition", ".detail", ".value", ".note", "nav a", "summary", "td", "dd"];
  for (const selector of [...texts, ...more]) {
    const node = document.querySelector(selector);
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    found[selector] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  for (const text of document.querySelectorAll(".figure .xtick text, .figure .annotation-text")) {
    const [a, b] = [light(parse(getComputedStyle(text).fill)), light(behind(text.closest(".card")))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.figures = Math.min(found.figures ?? 99, ratio);
  }
  return found;
}"""
"""The contrast of each kind of text with what is behind it; takes further selectors."""
