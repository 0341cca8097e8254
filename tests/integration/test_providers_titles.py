"""TVDB and TMDB over HTTP: series, movies, search, tokens."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.provider_stubs import KEYS, Answer, Providers, answering
from warehouse.providers.catalog import Catalog
from warehouse.providers.reading import MalformedAnswer, read_answer
from warehouse.providers.results import Failed, Found, Hit, Kind, Movie, Result, Series, Unknown

KINDS = {
    Kind.TVDB_SERIES: ("tvdb_series", "/v4/series/{}"),
    Kind.TVDB_MOVIE: ("tvdb_movies", "/v4/movies/{}"),
    Kind.TMDB_SERIES: ("tmdb_series", "/3/tv/{}"),
    Kind.TMDB_MOVIE: ("tmdb_movies", "/3/movie/{}"),
}


@pytest.fixture
def stub() -> Iterator[Providers]:
    with answering() as providers:
        yield providers


def ask(stub: Providers, kind: Kind, *ids: int, within_s: float = 5, **changes: Any) -> list[Result[Any]]:
    async def run() -> list[Result[Any]]:
        async with Catalog.open(stub.settings(**changes)) as catalog:
            return await getattr(catalog, KINDS[kind][0])(ids, within_s)  # type: ignore[no-any-return]

    return asyncio.run(run())


def tvdb(**data: Any) -> dict[str, Any]:
    return {"status": "success", "data": data}


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (
            Kind.TVDB_SERIES,
            tvdb(id=1, name="名探偵#コナン/", image="https://a/1.jpg", averageRuntime=25),
            Series("名探偵#コナン/", "https://a/1.jpg", 25),
        ),
        (Kind.TVDB_SERIES, tvdb(name="S", image="", averageRuntime=None), Series("S", None, None)),
        (Kind.TVDB_SERIES, tvdb(name="S"), Series("S", None, None)),
        (Kind.TVDB_SERIES, tvdb(name="S", averageRuntime=0), Series("S", None, None)),
        (Kind.TVDB_MOVIE, tvdb(name="M", image="https://a/m.jpg", runtime=120), Movie("M", "https://a/m.jpg", 120)),
        (
            Kind.TMDB_MOVIE,
            {"id": 1, "original_title": "千と千尋", "title": "Spirited", "poster_path": "/p.jpg", "runtime": 125},
            Movie("千と千尋", "https://image.tmdb.org/t/p/w500/p.jpg", 125),
        ),
        (Kind.TMDB_MOVIE, {"id": 1, "original_title": "M", "poster_path": None, "runtime": 0}, Movie("M", None, None)),
        (Kind.TMDB_SERIES, {"original_name": "S", "episode_run_time": [20, 30]}, Series("S", None, 25)),
        (
            Kind.TMDB_SERIES,
            {"original_name": "S", "episode_run_time": [], "last_episode_to_air": {"runtime": 24}},
            Series("S", None, 24),
        ),
    ],
)
def test_found(stub: Providers, kind: Kind, body: Any, expected: Series | Movie) -> None:
    stub.answers[KINDS[kind][1].format(1)] = body
    (result,) = ask(stub, kind, 1)
    assert isinstance(result, Found)
    assert (result.kind, result.id, result.metadata) == (kind, 1, expected)
    assert result.raw == Answer(body=body).content()
    assert read_answer(kind, result.raw) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_is_told_from_failed_and_remembered(stub: Providers, kind: Kind) -> None:
    async def run() -> list[list[Result[Any]]]:
        async with Catalog.open(stub.settings(unknown_ttl_s=0.3)) as catalog:
            look_up = getattr(catalog, KINDS[kind][0])
            first = [await look_up([9, 9], 5), await look_up([9], 5)]
            await asyncio.sleep(0.35)
            return [*first, await look_up([9], 5)]

    for results in asyncio.run(run()):
        assert all(isinstance(result, Unknown) and b"Not Found" in result.raw for result in results)
    assert stub.paths().count(KINDS[kind][1].format(9)) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"<html>"),
        Answer(body=b'{"status": "success", "data": '),
        Answer(body=[1, 2]),
        Answer(body=b""),
        Answer(body=b"\xff"),
        Answer(body=b"[" * 20_000),
        Answer(body=tvdb(name=5) | {"original_title": 5, "original_name": 5}),
        Answer(body=tvdb(name=" ") | {"original_title": "", "original_name": ""}),
        Answer(body={"status": "failure", "data": None}),
        Answer(body=tvdb(name="a\0b") | {"original_title": "a\0b", "original_name": "a\0b"}),
        Answer(302, b"", {"Location": "/elsewhere"}),
        Answer(400, {}),
    ],
)
def test_one_bad_answer_fails_one_id(stub: Providers, kind: Kind, answer: Answer) -> None:
    check_one_bad_answer(stub, kind, answer)


@pytest.mark.parametrize("answer", [Answer(500, b"oops"), Answer(drop=True), Answer(503, body=b"")])
def test_one_answer_that_stays_bad_fails_one_id(stub: Providers, answer: Answer) -> None:
    check_one_bad_answer(stub, Kind.TMDB_MOVIE, answer)


def check_one_bad_answer(stub: Providers, kind: Kind, answer: Answer) -> None:
    path = KINDS[kind][1]
    stub.answers[path.format(1)] = stub.answers[path.format(3)] = tvdb(name="N") | {
        "original_title": "N",
        "original_name": "N",
    }
    stub.answers[path.format(2)] = answer
    good, bad, last = ask(stub, kind, 1, 2, 3)
    assert isinstance(good, Found)
    assert isinstance(last, Found)
    assert isinstance(bad, Failed)
    assert (bad.kind, bad.id) == (kind, 2)
    assert bad.reason.startswith(f"{kind.provider}: ")


def test_a_log_in_serves_many_look_ups_at_once(stub: Providers) -> None:
    stub.answers |= {f"/v4/series/{one}": tvdb(name=str(one)) for one in range(40)}
    results = ask(stub, Kind.TVDB_SERIES, *range(40))
    assert [result.metadata.name for result in results if isinstance(result, Found)] == [str(n) for n in range(40)]
    assert stub.log_ins == 1


def test_a_refused_token_is_replaced_once(stub: Providers) -> None:
    stub.answers |= {f"/v4/series/{one}": tvdb(name=str(one)) for one in range(20)}
    stub.refused_tokens.add("token-1")
    assert all(isinstance(result, Found) for result in ask(stub, Kind.TVDB_SERIES, *range(20)))
    assert stub.log_ins == 2


def test_a_fresh_token_that_is_refused_fails_all_soon(stub: Providers) -> None:
    stub.refused_tokens |= {f"token-{n}" for n in range(100)}
    results = ask(stub, Kind.TVDB_SERIES, *range(200))
    assert all(isinstance(result, Failed) and "fresh log-in" in result.reason for result in results)
    assert len(stub.asked) < 60


@pytest.mark.parametrize("answer", [Answer(401, {"status": "failure"}), Answer(body=b"{}"), Answer(body=b"nope")])
def test_a_refused_log_in_fails_all_soon(stub: Providers, answer: Answer) -> None:
    stub.faults["/v4/login"] = [answer] * 1000
    results = ask(stub, Kind.TVDB_SERIES, *range(200))
    assert all(isinstance(result, Failed) and "log-in" in result.reason for result in results)
    assert len(stub.asked) < 20
    assert KEYS["tvdb_api_key"] not in repr(results)


def test_without_a_key_the_setting_is_named(stub: Providers) -> None:
    (result,) = ask(stub, Kind.TMDB_MOVIE, 1, tmdb_api_read_access_token=None)
    assert result == Failed(Kind.TMDB_MOVIE, 1, "tmdb: no key is set (TMDB_API_READ_ACCESS_TOKEN)")
    assert not stub.asked


def search(stub: Providers, kind: Kind, name: str) -> list[Hit] | Failed:
    async def run() -> list[Hit] | Failed:
        async with Catalog.open(stub.settings()) as catalog:
            return await catalog.search(kind, name, 5)

    return asyncio.run(run())


def test_search_tvdb(stub: Providers) -> None:
    rows = [{"name": "コナン", "tvdb_id": "72454", "year": "1996", "image_url": "https://a/c.jpg"}, {"name": "no id"}]
    stub.answers["/v4/search"] = {"status": "success", "data": rows}
    assert search(stub, Kind.TVDB_SERIES, "コナン #1&x") == [
        Hit(Kind.TVDB_SERIES, 72454, "コナン", 1996, "https://a/c.jpg")
    ]
    assert stub.asked[-1].query == {"query": "コナン #1&x", "type": "series", "limit": "10"}


@pytest.mark.parametrize(
    ("kind", "path", "name", "day"),
    [
        (Kind.TMDB_MOVIE, "/3/search/movie", "title", "release_date"),
        (Kind.TMDB_SERIES, "/3/search/tv", "name", "first_air_date"),
    ],
)
def test_search_tmdb(stub: Providers, kind: Kind, path: str, name: str, day: str) -> None:
    stub.answers[path] = {"results": [{"id": 7, name: "T", day: "2001-07-20"}, {"id": 8, name: "U", day: ""}]}
    assert search(stub, kind, "T") == [Hit(kind, 7, "T", 2001, None), Hit(kind, 8, "U", None, None)]


def test_a_search_that_fails_says_why(stub: Providers) -> None:
    stub.answers["/3/search/movie"] = {"results": None}
    hits = search(stub, Kind.TMDB_MOVIE, "T")
    assert isinstance(hits, Failed)
    assert hits.reason.startswith("tmdb: unexpected answer")
    with pytest.raises(ValueError, match="cannot be searched"):
        search(stub, Kind.YOUTUBE_VIDEO, "T")


def test_a_landed_answer_that_cannot_be_read_is_named() -> None:
    with pytest.raises(MalformedAnswer, match="tmdb"):
        read_answer(Kind.TMDB_MOVIE, b"null")
