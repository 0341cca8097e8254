"""live.html of a real endpoint: it shows a running public stream without a key, and follows it."""

import time
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.conftest import Watched
from tests.integration.endpoint import serving
from warehouse.settings import StorageSettings


def test_a_running_stream_is_shown_and_followed(storage: StorageSettings, browser: Browser, tmp_path: Path) -> None:
    with serving(storage) as client:
        client.post("/v1/streams", json={"stream_id": "s", "title": "Speedrun", "is_live": True, "public": True})
        now_ms = time.time_ns() // 1_000_000
        messages = [
            {"message_id": f"m{n}", "stream_id": "s", "user_id": f"u{n % 9}", "message": "great run <b>"}
            | {"emotes": ["PogChamp"], "timestamp": now_ms - n * 500}
            for n in range(600)
        ]
        client.post("/v1/chat", json={"messages": messages})
        samples = [{"stream_id": "s", "viewer_count": 1234, "timestamp": now_ms - n * 10_000} for n in range(30)]
        client.post("/v1/viewers", json={"samples": samples})
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        watched = Watched(page)
        page.goto(f"{client.base_url}/live.html")
        page.wait_for_selector("#state[data-state=live]", timeout=20_000)
        page.wait_for_function("document.getElementById('viewers').textContent === '1,234'", timeout=20_000)
        assert page.locator("#streams option").all_text_contents() == ["Speedrun"]
        assert page.locator("#emotes .bar span").all_text_contents() == ["PogChamp"]
        assert page.locator("#chat-chart polyline").count() == 1
        client.post("/v1/viewers", json={"samples": [{**samples[0], "viewer_count": 1500, "timestamp": now_ms + 500}]})
        page.wait_for_function("document.getElementById('viewers').textContent === '1,500'", timeout=20_000)
        page.screenshot(path=tmp_path / "live.png", full_page=True)
        page.set_viewport_size({"width": 380, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 380
        page.screenshot(path=tmp_path / "phone.png", full_page=True)
        page.close()
    assert (watched.complaints, watched.outside) == ([], [])
