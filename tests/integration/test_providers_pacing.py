"""Deadlines, rates, Retry-After and what is asked again, over HTTP against a provider that is unwell."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.provider_stubs import Answer, Providers, answering, episode, video
from warehouse.providers.catalog import Catalog
from warehouse.providers.exchange import retry_after
from warehouse.providers.results import Failed, Found, Kind, Result, Unknown
from warehouse.providers.unknowns import Unknowns

MOVIE = "/3/movie/{}"


@pytest.fixture
def stub() -> Iterator[Providers]:
    with answering() as providers:
        providers.answers |= {MOVIE.format(one): {"original_title": str(one)} for one in range(1000)}
        yield providers


def timed(stub: Providers, *ids: int, within_s: float = 5.0, **changes: Any) -> tuple[list[Result[Any]], float]:
    async def run() -> tuple[list[Result[Any]], float]:
        async with Catalog.open(stub.settings(**changes)) as catalog:
            began = time.monotonic()
            return await catalog.tmdb_movies(ids, within_s), time.monotonic() - began

    return asyncio.run(run())


def test_retry_after_is_waited_for_within_the_deadline(stub: Providers) -> None:
    stub.faults[MOVIE.format(1)] = [Answer(429, {}, {"Retry-After": "1"})]
    results, took_s = timed(stub, 1)
    assert isinstance(results[0], Found)
    assert 1.0 <= took_s < 3


def test_retry_after_beyond_the_deadline_is_told_at_once_to_all(stub: Providers) -> None:
    stub.faults[MOVIE.format(0)] = [Answer(429, {}, {"Retry-After": "30"})]
    results, took_s = timed(stub, *range(100), within_s=3)
    assert took_s < 2
    late = [result for result in results if isinstance(result, Failed)]
    assert len(late) >= 90
    assert all(result.reason == "tmdb: asks to slow down" for result in late)
    assert {result.retry_after_s for result in late} <= {29, 30}
    assert len(stub.asked) <= 8


def test_one_id_that_is_always_429_loses_no_other(stub: Providers) -> None:
    stub.answers[MOVIE.format(3)] = Answer(429, {}, {"Retry-After": "0"})
    results, _ = timed(stub, *range(20))
    assert [result.id for result in results if isinstance(result, Failed)] == [3]


def test_503_with_retry_after_pauses(stub: Providers) -> None:
    stub.faults[MOVIE.format(1)] = [Answer(503, b"", {"Retry-After": "60"})]
    results, took_s = timed(stub, 1)
    assert took_s < 2
    assert isinstance(results[0], Failed)
    assert results[0].retry_after_s == 60


@pytest.mark.parametrize("fault", [Answer(500), Answer(502, b"<html>"), Answer(429, {}, {"Retry-After": "0"})])
def test_what_passes_is_asked_again(stub: Providers, fault: Answer) -> None:
    stub.faults[MOVIE.format(1)] = [fault, fault]
    results, _ = timed(stub, 1)
    assert isinstance(results[0], Found)
    assert len(stub.asked) == 3


def test_a_provider_that_does_not_answer_costs_one_timeout(stub: Providers) -> None:
    stub.answers[MOVIE.format(1)] = Answer(hang=True)
    results, took_s = timed(stub, 0, 1, 2, timeout_s=0.3)
    assert took_s < 1.5
    assert [type(result) for result in results] == [Found, Failed, Found]
    assert isinstance(results[1], Failed)
    assert results[1].reason == "tmdb: did not answer within 0.3 s"


def test_the_deadline_holds_over_the_timeout(stub: Providers) -> None:
    stub.answers |= {MOVIE.format(one): Answer(hang=True) for one in range(1000)}
    results, took_s = timed(stub, *range(1000), within_s=0.4, timeout_s=30)
    assert took_s < 1.4
    assert all(isinstance(result, Failed) for result in results)
    assert [result.id for result in results] == list(range(1000))


def test_a_log_in_that_hangs_keeps_the_deadline(stub: Providers) -> None:
    stub.faults["/api/token"] = [Answer(hang=True)] * 100

    async def run() -> list[Result[Any]]:
        async with Catalog.open(stub.settings(timeout_s=30)) as catalog:
            return await catalog.episodes([f"e{n}" for n in range(50)], 0.4)

    began = time.monotonic()
    assert all(isinstance(result, Failed) for result in asyncio.run(run()))
    assert time.monotonic() - began < 1.5


def test_a_provider_that_is_away_is_asked_for_few(stub: Providers) -> None:
    results, took_s = timed(stub, *range(1000), tmdb_origin="http://127.0.0.1:9")
    assert took_s < 3
    assert {result.reason for result in results if isinstance(result, Failed)} == {"tmdb: cannot be reached"}
    assert len(results) == 1000


def test_a_log_in_that_fails_is_not_tried_by_each(stub: Providers) -> None:
    async def run() -> list[Result[Any]]:
        async with Catalog.open(stub.settings(spotify_accounts_origin="http://127.0.0.1:9")) as catalog:
            return await catalog.episodes([f"e{n}" for n in range(1000)], 5)

    began = time.monotonic()
    results = asyncio.run(run())
    assert time.monotonic() - began < 3
    assert {result.reason for result in results if isinstance(result, Failed)} == {"spotify: cannot be reached"}


def test_one_provider_away_fails_no_other(stub: Providers) -> None:
    stub.answers["/v1/episodes/e1"] = episode("e1")
    stub.items = {"v": video("v")}

    async def run() -> list[Result[Any]]:
        away = {"tmdb_origin": "http://127.0.0.1:9", "tvdb_origin": "http://127.0.0.1:9"}
        async with Catalog.open(stub.settings(**away)) as catalog:
            look_ups = catalog.tmdb_movies([1], 5), catalog.videos(["v"], 5), catalog.episodes(["e1"], 5)
            return [result for results in await asyncio.gather(*look_ups) for result in results]

    assert [type(result) for result in asyncio.run(run())] == [Failed, Found, Found]


def test_the_rate_is_kept(stub: Providers) -> None:
    results, took_s = timed(stub, *range(30), tmdb_requests_per_s=20)
    assert all(isinstance(result, Found) for result in results)
    assert took_s >= 0.49


def test_beyond_the_rate_the_rest_is_told_when_to_come_back(stub: Providers) -> None:
    results, took_s = timed(stub, *range(1000), within_s=0.5, tmdb_requests_per_s=20)
    assert took_s < 1.5
    assert 20 <= sum(isinstance(result, Found) for result in results) <= 31
    assert results[-1] == Failed(Kind.TMDB_MOVIE, 999, "tmdb: no time left within the deadline", 1)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None), ("7", 7.0), (" 0 ", 0.0), ("-3", None), ("soon", None), ("", None), ("²", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0), ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0), ("9" * 5000, 999_999_999.0),
    ],
)  # fmt: skip
def test_retry_after_in_both_forms(header: str | None, expected: float | None) -> None:
    assert retry_after(header, datetime(2026, 1, 1, tzinfo=UTC)) == expected


def test_what_is_unknown_is_remembered_within_bounds() -> None:
    unknowns = Unknowns(2, 60)
    for one in (1, 2, 1, 3):
        unknowns.add(Unknown(Kind.TVDB_SERIES, one))
    assert [unknowns.get(Kind.TVDB_SERIES, one) is not None for one in (1, 2, 3)] == [True, False, True]
    assert unknowns.get(Kind.TVDB_MOVIE, 1) is None


FATES = st.sampled_from(["found", "missing", "malformed", "poison-400", "poison-html"])


@pytest.fixture(scope="module")
def shared() -> Iterator[Providers]:
    with answering() as providers:
        yield providers


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fates=st.lists(FATES, max_size=120).map(lambda some: [*some, "found"]),
    order=st.randoms(use_true_random=False),
    repeats=st.integers(0, 20),
)
def test_one_result_an_asked_id_in_order(shared: Providers, fates: list[str], order: Any, repeats: int) -> None:
    ids = [f"v{n}" for n in range(len(fates))]
    # A few ids that spoil their chunk are what it is cut in halves for; many of them are an outage.
    spoilt = [one for one, fate in zip(ids, fates, strict=True) if fate.startswith("poison")][:1]
    kept = {one: fate for one, fate in zip(ids, fates, strict=True) if one in spoilt or not fate.startswith("poison")}
    shared.items = {one: video(one) for one, fate in kept.items() if fate == "found"}
    shared.items |= {one: video(one, "not a duration") for one, fate in kept.items() if fate == "malformed"}
    shared.poison = {one: Answer(400, {}) if kept[one] == "poison-400" else Answer(body=b"<html>") for one in spoilt}
    asked = [*kept, *order.choices(list(kept), k=repeats)]
    order.shuffle(asked)

    async def run() -> list[Result[Any]]:
        async with Catalog.open(shared.settings()) as catalog:
            return await catalog.videos(asked, 20)

    results = asyncio.run(run())
    assert [result.id for result in results] == asked
    expected = {"found": Found, "missing": Unknown}
    assert [type(result) for result in results] == [expected.get(kept[one], Failed) for one in asked]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from([200, 404, 400, 302, 0])), max_size=40))
def test_single_look_ups_give_one_result_in_order(shared: Providers, asked: list[tuple[int, int]]) -> None:
    fates = dict(asked)
    known = {200: Answer(body={"original_title": "T"}), 0: Answer(body=b"{")}
    shared.answers = {MOVIE.format(one): known.get(fate, Answer(fate, {})) for one, fate in fates.items()}
    results, _ = timed(shared, *(one for one, _ in asked), within_s=20)
    assert [result.id for result in results] == [one for one, _ in asked]
    expected = {200: Found, 404: Unknown}
    assert [type(result) for result in results] == [expected.get(fates[one], Failed) for one, _ in asked]
