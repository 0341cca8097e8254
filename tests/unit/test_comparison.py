import math
import random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dashboards.standouts import standouts
from tests.unit.session_frames import START, core_frame
from warehouse.metrics.clusters import has_viewers
from warehouse.metrics.comparison import MIN_CLUSTERS, against_rest
from warehouse.metrics.intervals import critical

DIMENSIONS = {"app_version": "appVersion", "network_type": "networkType"}


def sessions(*, seed: int = 1, viewers: int = 60, each: int = 8, stall: float = 3.0) -> pl.DataFrame:
    """Viewers with habits; release "2" stalls `stall` times as long as "1"."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for viewer in range(viewers):
        habit = draw.lognormvariate(0, 0.5)
        for _ in range(each):
            release = draw.choice(["1", "2"])
            worse = stall if release == "2" else 1.0
            rows.append(
                {
                    "session_id": f"s{len(rows)}",
                    "ingest_id": f"i{len(rows)}",
                    "user_id": f"u{viewer}",
                    "started_at": START,
                    "startup_ms": round(500 * habit * draw.uniform(0.8, 1.2)),
                    "play_ms": draw.randint(100_000, 900_000),
                    "rebuffer_ms": round(3000 * habit * worse * draw.random()),
                    "rebuffer_count": 1,
                    "error_count": int(draw.random() < 0.1),
                    "app_version": release,
                    "network_type": draw.choice(["wifi", "4g"]),
                }
            )
    return core_frame(rows, DIMENSIONS)


def by_hand(core: pl.DataFrame, release: str) -> tuple[float, float]:
    """The difference in rebuffer_pct_play and its half width, one viewer at a time."""
    sides: dict[bool, tuple[float, float]] = {}
    for here in (True, False):
        rows = core.filter((pl.col("app_version") == release) == here)
        sides[here] = (100 * rows["rebuffer_ms"].sum(), (rows["play_ms"] + rows["rebuffer_ms"]).sum())
    ratio = {here: num / den for here, (num, den) in sides.items()}
    parts: dict[str, float] = {}
    for row in core.to_dicts():
        here = row["app_version"] == release
        residual = 100 * row["rebuffer_ms"] - ratio[here] * (row["play_ms"] + row["rebuffer_ms"])
        parts[row["user_id"]] = parts.get(row["user_id"], 0.0) + (1 if here else -1) * residual / sides[here][1]
    variance = sum(part**2 for part in parts.values()) * len(parts) / (len(parts) - 1)
    t = pl.select(critical(pl.lit(weighed_viewers(core, release)))).item()
    return ratio[True] - ratio[False], t * math.sqrt(variance)


def weighed_viewers(core: pl.DataFrame, release: str) -> float:
    counts = []
    for here in (True, False):
        rows = core.filter((pl.col("app_version") == release) == here)
        weights = rows.group_by("user_id").agg((pl.col("play_ms") + pl.col("rebuffer_ms")).sum()).to_series(1)
        counts.append(weights.sum() ** 2 / (weights.cast(pl.Float64()) ** 2).sum())
    return min(counts)


def test_the_difference_is_that_of_ratios_with_viewers_as_clusters() -> None:
    core = sessions()
    row = against_rest(core, ("app_version",), ("rebuffer_pct_play",)).row(
        by_predicate=pl.col("segment") == "2", named=True
    )
    difference, half = by_hand(core, "2")
    assert row["difference"] == pytest.approx(difference)
    assert row["low"] == pytest.approx(difference - half)
    assert row["high"] == pytest.approx(difference + half)
    assert (row["n"], row["rest_n"]) == tuple(core["app_version"].value_counts().sort("app_version")["count"])[::-1]


def test_order_changes_nothing() -> None:
    core = sessions()
    shuffled = core.sample(fraction=1.0, shuffle=True, seed=3)
    keys = ["dimension", "segment", "metric"]
    assert_frame_equal(
        against_rest(core, tuple(DIMENSIONS)).sort(keys), against_rest(shuffled, tuple(DIMENSIONS)).sort(keys)
    )


def test_repeats_of_a_viewer_add_no_certainty() -> None:
    core = sessions()
    copies = [core.with_columns(session_id=pl.col("session_id") + f"-{copy}") for copy in range(4)]
    alone = against_rest(core, ("app_version",), ("rebuffer_pct_play",)).sort("segment")
    fourfold = against_rest(pl.concat(copies), ("app_version",), ("rebuffer_pct_play",)).sort("segment")
    assert fourfold["low"].to_list() == pytest.approx(alone["low"].to_list())
    assert fourfold["clusters"].to_list() == alone["clusters"].to_list()


def test_too_few_viewers_are_not_compared() -> None:
    assert against_rest(sessions(viewers=MIN_CLUSTERS - 1), ("app_version",)).is_empty()
    assert against_rest(sessions().clear(), ("app_version",)).is_empty()


def test_one_viewer_who_plays_most_of_it_is_not_many() -> None:
    core = sessions()
    heavy = core.filter(pl.col("user_id") == "u0")
    copies = [heavy.with_columns(session_id=pl.col("session_id") + f"-{copy}") for copy in range(60)]
    assert against_rest(pl.concat([core, *copies]), ("app_version",)).is_empty()


def test_unmeasured_metrics_are_left_out() -> None:
    core = sessions().with_columns(startup_ms=pl.lit(None, pl.Int64()), error_count=pl.lit(None, pl.Int64()))
    core = core.with_columns(outcome=pl.lit(None, pl.String()))
    assert set(against_rest(core, ("app_version",))["metric"]) == {"rebuffer_pct_play"}


def test_viewers_are_users_or_devices() -> None:
    core = sessions()
    assert has_viewers(core)
    assert not has_viewers(core.with_columns(user_id=pl.lit(None, pl.String())))


def test_a_bad_release_stands_out_and_a_fair_network_does_not() -> None:
    found = standouts(sessions(), tuple(DIMENSIONS))
    first = found.row(0, named=True)
    assert (first["dimension"], first["segment"], first["metric"]) == ("app_version", "2", "rebuffer_pct_play")
    assert first["low"] > 0
    assert set(found["dimension"]) == {"app_version"}


def test_intervals_are_widened_for_the_number_of_comparisons() -> None:
    core = sessions()
    plain = against_rest(core, tuple(DIMENSIONS))
    wide = standouts(core, tuple(DIMENSIONS)).row(0, named=True)
    same = plain.row(by_predicate=(pl.col("segment") == "2") & (pl.col("metric") == wide["metric"]), named=True)
    assert wide["comparisons"] == plain.height
    assert wide["low"] < same["low"] < same["high"] < wide["high"]


def test_nothing_stands_out_between_equals() -> None:
    assert standouts(sessions(stall=1.0), tuple(DIMENSIONS)).is_empty()
