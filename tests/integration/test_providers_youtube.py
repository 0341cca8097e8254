"""YouTube over HTTP: chunks, quota, bad ids, artwork, durations; the key stays out of everything that is kept."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.provider_stubs import KEYS, Answer, Providers, answering, channel, video
from warehouse.providers.catalog import Catalog
from warehouse.providers.reading import read_answer
from warehouse.providers.results import Channel, Failed, Found, Kind, Result, Unknown, Video
from warehouse.providers.youtube import until_quota_resets

VIDEOS = "/youtube/v3/videos"


def quota(reason: str) -> Answer:
    return Answer(403, {"error": {"code": 403, "errors": [{"domain": "youtube.quota", "reason": reason}]}})


@pytest.fixture
def stub() -> Iterator[Providers]:
    with answering() as providers:
        yield providers


def ask(stub: Providers, *ids: str, within_s: float = 5, **changes: Any) -> list[Result[Video]]:
    async def run() -> list[Result[Video]]:
        async with Catalog.open(stub.settings(**changes)) as catalog:
            return await catalog.videos(ids, within_s)

    return asyncio.run(run())


def ask_channels(stub: Providers, *ids: str) -> list[Result[Channel]]:
    async def run() -> list[Result[Channel]]:
        async with Catalog.open(stub.settings()) as catalog:
            return await catalog.channels(ids, 5)

    return asyncio.run(run())


def test_400_ids_take_8_requests(stub: Providers) -> None:
    ids = [f"v{n:03}" for n in range(400)]
    stub.items = {one: video(one) for one in ids}
    results = ask(stub, *ids, ids[7])
    assert [result.id for result in results] == [*ids, ids[7]]
    assert all(isinstance(result, Found) and result.metadata.duration_s == 630 for result in results)
    assert [len(asked.query["id"].split(",")) for asked in stub.asked] == [50] * 8


def test_a_found_video_is_read_again_from_its_own_raw_item(stub: Providers) -> None:
    stub.items = {"a-_1": video("a-_1", title="<字幕> #1")}
    (result,) = ask(stub, "a-_1")
    assert isinstance(result, Found)
    assert result.metadata == Video("<字幕> #1", "UC_1", "Kanal", 630)
    assert read_answer(Kind.YOUTUBE_VIDEO, result.raw) == result.metadata
    assert b"items" not in result.raw


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("P1DT2H", 93_600), ("P0D", None), ("PT0S", None), ("PT1H2M3S", 3723), ("P1W", 604_800), ("PT45S", 45)],
)
def test_durations(stub: Providers, duration: str, expected: int | None) -> None:
    stub.items = {"v": video("v", duration)}
    (result,) = ask(stub, "v")
    assert isinstance(result, Found)
    assert result.metadata.duration_s == expected


@pytest.mark.parametrize("duration", ["", "P", "PT", "10:30", "P1Y", "PT1H ", "-PT1S", "PT9999999999S", None, 3])
def test_a_malformed_item_fails_alone(stub: Providers, duration: Any) -> None:
    stub.items = {"a": video("a"), "bad": video("bad", duration), "b": video("b")}
    first, bad, last, missing = ask(stub, "a", "bad", "b", "gone")
    assert isinstance(first, Found)
    assert isinstance(last, Found)
    assert isinstance(bad, Failed)
    assert bad.reason.startswith("youtube: unexpected answer")
    assert missing == Unknown(Kind.YOUTUBE_VIDEO, "gone")


@pytest.mark.parametrize("answer", [Answer(400, {"error": {"code": 400}}), Answer(500, b""), Answer(body=b"<html>")])
def test_an_id_that_spoils_its_chunk_loses_no_other(stub: Providers, answer: Answer) -> None:
    ids = [f"v{n:02}" for n in range(50)]
    stub.items = {one: video(one) for one in ids}
    stub.poison["v13"] = answer
    results = ask(stub, *ids)
    assert [result.id for result in results if not isinstance(result, Found)] == ["v13"]
    assert isinstance(results[13], Failed)


def test_text_that_postgres_refuses_fails_its_item_only(stub: Providers) -> None:
    stub.items = {one: video(one) for one in "abcdef"}
    stub.items |= {"b": video("b", description="\0"), "e": video("e", title="\0")}
    results = ask(stub, *"abcdef")
    assert [result.id for result in results if isinstance(result, Failed)] == ["b", "e"]
    assert len(stub.asked) == 1


def test_a_provider_that_is_down_is_not_asked_for_every_id(stub: Providers) -> None:
    stub.faults[VIDEOS] = [Answer(500)] * 1000
    results = ask(stub, *(f"v{n:03}" for n in range(400)))
    assert all(isinstance(result, Failed) and result.reason == "youtube: answered 500" for result in results)
    assert len(stub.asked) <= 8 * (4 + 2)


@pytest.mark.parametrize("one", ["a,b", "a&key=x", "../x", "", "ä", "x" * 65, "a b"])
def test_what_is_no_id_is_unknown_and_not_asked(stub: Providers, one: str) -> None:
    stub.items = {"ok": video("ok")}
    bad, good = ask(stub, one, "ok")
    assert bad == Unknown(Kind.YOUTUBE_VIDEO, one)
    assert isinstance(good, Found)
    assert [asked.query["id"] for asked in stub.asked] == ["ok"]


def test_the_quota_pauses_until_midnight_pacific(stub: Providers) -> None:
    stub.items = {"v": video("v")}
    stub.faults[VIDEOS] = [quota("quotaExceeded")]
    now = datetime(2026, 3, 7, 20, 30, tzinfo=UTC)

    async def run() -> list[Result[Any]]:
        async with Catalog.open(stub.settings(), now=lambda: now) as catalog:
            return [*await catalog.videos(["v"], 5), *await catalog.channels(["c"], 5), *await catalog.videos(["v"], 5)]

    results = asyncio.run(run())
    assert len(stub.asked) == 1
    for result in results:
        assert isinstance(result, Failed)
        assert result.reason == "youtube: the day's quota is used up"
        assert result.retry_after_s in {41_399, 41_400}


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 3, 8, 8, 0, tzinfo=UTC), 23),
        (datetime(2026, 11, 1, 7, 0, tzinfo=UTC), 25),
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), 1),
    ],
)
def test_midnight_pacific_over_summer_time(now: datetime, hours: int) -> None:
    assert until_quota_resets(now) == hours * 3600


def test_asked_too_fast_it_is_asked_again(stub: Providers) -> None:
    stub.items = {"v": video("v")}
    stub.faults[VIDEOS] = [quota("rateLimitExceeded")]
    first, again = asyncio.run(_twice(stub))
    assert isinstance(first, Failed)
    assert first.retry_after_s == 1
    assert isinstance(again, Found)


async def _twice(stub: Providers) -> list[Result[Video]]:
    async with Catalog.open(stub.settings()) as catalog:
        return [*await catalog.videos(["v"], 5), *await catalog.videos(["v"], 5)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [(("default", "medium", "high"), "high"), (("medium", "default"), "medium"), (("default",), "default"), ((), None)],
)
def test_channel_artwork(stub: Providers, sizes: tuple[str, ...], expected: str | None) -> None:
    stub.items = {"UC_1": channel("UC_1", *sizes)}
    (result,) = ask_channels(stub, "UC_1")
    assert isinstance(result, Found)
    assert result.metadata == Channel("Channel UC_1", f"https://i.example/UC_1/{expected}.jpg" if expected else None)


@pytest.mark.parametrize(
    "fault", [Answer(500), Answer(hang=True), Answer(drop=True), Answer(403, {}), Answer(body=b"x")]
)
def test_the_key_is_nowhere_but_on_the_wire(
    stub: Providers, fault: Answer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.items = {"v": video("v")}
    stub.faults[VIDEOS] = [fault] * 4
    soon: dict[str, Any] = {"timeout_s": 0.2, "within_s": 0.4}
    results = [*ask(stub, "v", **soon), *ask(stub, "v", youtube_api_key="another-key", **soon)]
    results += ask(stub, "v", youtube_origin="http://127.0.0.1:9", within_s=0.1)
    stub.faults.clear()
    results += ask(stub, "v")
    assert isinstance(results[-1], Found)
    assert stub.asked[-1].query["key"] == KEYS["youtube_api_key"]
    told = repr(results) + caplog.text + "".join(capfd.readouterr()) + repr(stub.settings())
    assert not [key for key in (*KEYS.values(), "another-key") if key in told]


def test_a_key_that_is_refused_fails_all_soon(stub: Providers) -> None:
    results = ask(stub, *(f"v{n:03}" for n in range(400)), youtube_api_key="wrong")
    assert all(isinstance(result, Failed) and "refused the key" in result.reason for result in results)
    assert len(stub.asked) <= 8
