"""Spotify over HTTP: episodes, a show's pages, client credentials."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.integration.provider_stubs import KEYS, Answer, Providers, answering, episode, listed
from warehouse.providers.catalog import Catalog
from warehouse.providers.reading import read_answer
from warehouse.providers.results import Episode, Failed, Found, Kind, Listing, Result, Unknown

SHOW = "/v1/shows/show1/episodes"


@pytest.fixture
def stub() -> Iterator[Providers]:
    with answering() as providers:
        yield providers


def ask(stub: Providers, *ids: str, **changes: Any) -> list[Result[Episode]]:
    async def run() -> list[Result[Episode]]:
        async with Catalog.open(stub.settings(**changes)) as catalog:
            return await catalog.episodes(ids, 5)

    return asyncio.run(run())


def ask_show(stub: Providers, show_id: str = "show1") -> Listing:
    async def run() -> Listing:
        async with Catalog.open(stub.settings()) as catalog:
            return await catalog.show_episodes(show_id, 5)

    return asyncio.run(run())


def page(*items: Any, following: str | None = None) -> dict[str, Any]:
    return {"items": list(items), "next": following, "limit": 50}


def test_an_episode_brings_its_show(stub: Providers) -> None:
    stub.answers["/v1/episodes/e1"] = episode("e1")
    found, unknown = ask(stub, "e1", "e2")
    assert isinstance(found, Found)
    assert found.metadata == Episode(
        "第e1話", "show1", "日本語ラジオ", "https://i.example/a.jpg", 388, date(2021, 3, 28)
    )
    assert read_answer(Kind.SPOTIFY_EPISODE, found.raw) == found.metadata
    assert isinstance(unknown, Unknown)
    log_in, *rest = stub.asked
    credentials = f"{KEYS['spotify_client_id']}:{KEYS['spotify_client_secret']}"
    assert log_in.headers["authorization"] == "Basic " + base64.b64encode(credentials.encode()).decode()
    assert {asked.headers["authorization"] for asked in rest} == {"Bearer token-1"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"release_date": "2021-03", "release_date_precision": "month"}, date(2021, 3, 1)),
        ({"release_date": "2021", "release_date_precision": "year"}, date(2021, 1, 1)),
        ({"release_date": "0000", "release_date_precision": "year"}, None),
        ({"release_date": None, "release_date_precision": None}, None),
    ],
)
def test_release_dates(stub: Providers, changes: dict[str, Any], expected: date | None) -> None:
    stub.answers["/v1/episodes/e1"] = episode("e1", **changes)
    (found,) = ask(stub, "e1")
    assert isinstance(found, Found)
    assert found.metadata.released_on == expected


@pytest.mark.parametrize(
    "changes", [{"show": None}, {"name": ""}, {"duration_ms": -1}, {"duration_ms": None}, {"duration_ms": 1e300}]
)
def test_a_malformed_episode_fails_alone(stub: Providers, changes: dict[str, Any]) -> None:
    stub.answers |= {"/v1/episodes/e1": episode("e1", **changes), "/v1/episodes/e2": episode("e2", show=_bare())}
    bad, good = ask(stub, "e1", "e2")
    assert isinstance(bad, Failed)
    assert isinstance(good, Found)
    assert good.metadata.show_artwork_url is None


def _bare() -> dict[str, Any]:
    return {"id": "show1", "name": "S"}


def test_a_token_is_renewed_by_its_expiry(stub: Providers) -> None:
    stub.expires_in = 0.2
    stub.answers["/v1/episodes/e1"] = episode("e1")

    async def run() -> None:
        async with Catalog.open(stub.settings()) as catalog:
            await catalog.episodes(["e1"], 5)
            await catalog.episodes(["e1"], 5)
            await asyncio.sleep(0.25)
            await catalog.episodes(["e1"], 5)

    asyncio.run(run())
    assert stub.paths().count("/api/token") == 2


def test_a_refused_token_is_replaced(stub: Providers) -> None:
    stub.answers["/v1/episodes/e1"] = episode("e1")
    stub.refused_tokens.add("token-1")
    (found,) = ask(stub, "e1")
    assert isinstance(found, Found)
    assert stub.log_ins == 2


def test_a_show_is_read_to_its_last_page_on_the_configured_host(stub: Providers) -> None:
    elsewhere = "https://elsewhere.example/v1/shows/show1/episodes"
    stub.answers |= {
        SHOW: page(listed("e3"), None, listed("e2"), following=f"{elsewhere}?offset=50&limit=50"),
        f"{SHOW}?offset=50": page(listed("e1"), following=f"{elsewhere}?offset=100&limit=50"),
        f"{SHOW}?offset=100": page(),
    }
    listing = ask_show(stub)
    assert [found.id for found in listing.episodes] == ["e3", "e2", "e1"]
    assert listing.problem is None
    first = listing.episodes[0]
    assert first.metadata == Episode("第e3話", "show1", None, None, 388, date(2021, 3, 28))
    assert read_answer(Kind.SPOTIFY_SHOW_EPISODE, first.raw, show_id="show1") == first.metadata
    assert [asked.query["limit"] for asked in stub.asked if asked.path == SHOW] == ["50"] * 3


def test_pages_that_go_round_end(stub: Providers) -> None:
    stub.answers |= {
        SHOW: page(listed("e1"), following=f"{SHOW}?offset=50&limit=50"),
        f"{SHOW}?offset=50": page(listed("e2"), following=f"{SHOW}?offset=50&limit=50"),
    }
    assert [found.id for found in ask_show(stub).episodes] == ["e1", "e2"]


@pytest.mark.parametrize(
    "answer", [Answer(500), Answer(body=b"x"), Answer(body={"items": 3}), Answer(body=page(following="/etc"))]
)
def test_what_was_read_before_a_bad_page_is_kept(stub: Providers, answer: Answer) -> None:
    stub.answers |= {
        SHOW: page(listed("e2"), {"id": "bad"}, listed("e1"), following=f"{SHOW}?offset=50&limit=50"),
        f"{SHOW}?offset=50": answer,
    }
    listing = ask_show(stub)
    assert [found.id for found in listing.episodes] == ["e2", "e1"]
    assert isinstance(listing.problem, Failed)
    assert listing.problem.reason.startswith("spotify: ")


@pytest.mark.parametrize("message", ["invalid id", "Invalid base62 id"])
def test_an_id_that_nothing_can_have_is_unknown(stub: Providers, message: str) -> None:
    body = {"error": {"status": 400, "message": message}}
    stub.answers |= {"/v1/episodes/e1": Answer(400, body), "/v1/episodes/e2": episode("e2")}
    bad, good = ask(stub, "e1", "e2")
    assert bad == Unknown(Kind.SPOTIFY_EPISODE, "e1", Answer(body=body).content())
    assert isinstance(good, Found)


@pytest.mark.parametrize("answer", [Answer(403, {}), Answer(400, {"error": {"message": "Bad request"}}), Answer(400)])
def test_a_refusal_fails_alone(stub: Providers, answer: Answer) -> None:
    ids = [f"e{n}" for n in range(30)]
    stub.answers |= {f"/v1/episodes/{one}": episode(one) for one in ids} | {"/v1/episodes/e0": answer}
    bad, *good = ask(stub, *ids)
    assert bad == Failed(Kind.SPOTIFY_EPISODE, "e0", f"spotify: answered {answer.status}")
    assert all(isinstance(result, Found) for result in good)


@pytest.mark.parametrize("show_id", ["nowhere", "../me", ""])
def test_an_unknown_show(stub: Providers, show_id: str) -> None:
    listing = ask_show(stub, show_id)
    assert listing.episodes == ()
    assert isinstance(listing.problem, Unknown)
    assert "/v1/me" not in stub.paths()
