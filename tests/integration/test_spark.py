"""Aggregates over Spark Connect, by a Sail server on loopback: every sum is that of Polars."""

import sys
from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal
from pysail.spark import SparkConnectServer

from playhead.cli import main
from tests.benchmarks.core_lake import FIRST, core_sessions
from warehouse import building, engines, spark
from warehouse.datasets import CORE_SESSIONS
from warehouse.derivations import QOE_DAILY, QOE_HOURLY
from warehouse.store import Store


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the main module a file: without one, as in pytest's workers, Spark's client takes itself for a doctest."""
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    host, port = server.listening_address
    yield f"sc://{host}:{port}"
    server.stop()


@pytest.mark.parametrize("step", [QOE_DAILY, QOE_HOURLY], ids=["daily", "hourly"])
def test_every_sum_equals_that_of_polars(store: Store, remote: str, step) -> None:
    unknown = {"startup_ms": 5, "play_ms": 7, "rebuffer_count": 3, "country": 4, "content_id": 11}
    row = pl.int_range(pl.len())
    sessions = core_sessions(FIRST, 3_000).with_columns(
        pl.when(row % every != 0).then(name).alias(name) for name, every in unknown.items()
    )
    store.lake.replace_days(CORE_SESSIONS, sessions, [FIRST])
    building.build(store, step, [FIRST])
    ours = [store.lake.scan(target).collect() for target in step.targets]
    with spark.connected(remote) as engine:
        building.build(replace(store, engine=engine), step, [FIRST])
    for target, expected in zip(step.targets, ours, strict=True):
        found = store.lake.scan(target).collect()
        assert found.height > 0
        assert_frame_equal(found, expected, check_row_order=False, rel_tol=1e-9, abs_tol=0)


@pytest.mark.parametrize("remote", ["sc://127.0.0.1:1", "spark://127.0.0.1:1"])
def test_a_server_that_is_not_there_is_named(remote) -> None:
    with pytest.raises(spark.SparkError, match=remote), spark.connected(remote):
        pass


def test_engine_and_remote_belong_together() -> None:
    for arguments in (["--engine", "spark"], ["--remote", "sc://127.0.0.1:1"]):
        done = CliRunner().invoke(main, ["refresh", *arguments])
        assert done.exit_code == 2
        assert "belong together" in done.output


def test_polars_says_when_a_day_outgrows_the_machine() -> None:
    engine = engines.PolarsEngine()
    engine.check({FIRST: 8_000_000}, available=8_000_000_000)
    with pytest.raises(engines.OutgrownError, match=r"2026-01-01 has 8,000,001 sessions: .* --engine spark"):
        engine.check({FIRST: 8_000_001}, available=8_000_000_000)
