"""Sums of QoE: the terms, that they add up, and that engines agree."""

from datetime import date

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.session_frames import core_frame
from warehouse.datasets import OUT_QOE_DAILY, OUT_QOE_HISTOGRAM_DAILY, OUTCOMES, RATIOS
from warehouse.metrics import histogram, qoe
from warehouse.metrics.outcomes import outcome

DIMENSIONS = {"cdn": "cdn", "country": "country"}
FULL = {
    "startup_ms": 500, "play_ms": 60_000, "rebuffer_ms": 2_000, "rebuffer_count": 3, "seek_ms": 1_500, "seek_count": 2,
    "dropped_frames": 30, "bitrate_bps": 4_000_000, "error_count": 0, "duration_ms": 70_000,
    "rebuffer_ratio_media3": 0.03,
}  # fmt: skip


def total(*rows):
    return qoe.aggregate(core_frame(rows), {}).row(0, named=True)


def test_terms_of_one_session():
    row = total(FULL)
    terms = {r.name: (row[f"{r.name}_num_sum"], row[f"{r.name}_den_sum"], row[f"{r.name}_n"]) for r in RATIOS}
    assert terms == {
        "rebuffer_pct_play": (2_000, 62_000, 1),
        "rebuffer_pct_cta": (2_000, 64_000, 1),
        "wait_pct": (4_000, 64_000, 1),
        "rebuffers_per_hour": (3, 60_000, 1),
        "bitrate_bps": (240_000_000.0, 60_000, 1),
        "dropped_frames_per_min": (30, 60_000, 1),
        "mean_seek_ms": (1_500, 2, 1),
    }
    assert (row["startup_ms_sum"], row["seeks_per_session_sum"], row["rebuffer_ratio_media3_sum"]) == (500, 2, 0.03)


def test_second_moments_are_in_seconds_and_megabits():
    row = total(FULL, FULL)
    assert row["rebuffer_pct_play_num_sq_sum"] == pytest.approx(2 * 2.0**2)
    assert row["rebuffer_pct_play_num_den_sum"] == pytest.approx(2 * 2.0 * 62.0)
    assert row["bitrate_bps_num_sq_sum"] == pytest.approx(2 * 240.0**2)
    assert row["rebuffers_per_hour_num_den_sum"] == pytest.approx(2 * 3 * 60.0)
    assert row["startup_ms_sq_sum"] == pytest.approx(2 * 0.5**2)
    assert row["seeks_per_session_sq_sum"] == pytest.approx(2 * 2**2)


@pytest.mark.parametrize(
    ("unknown", "left_out"),
    [
        ("rebuffer_ms", {"rebuffer_pct_play", "rebuffer_pct_cta", "wait_pct"}),
        ("startup_ms", {"rebuffer_pct_cta", "wait_pct"}),
        ("seek_ms", {"rebuffer_pct_cta", "wait_pct", "mean_seek_ms"}),
        ("seek_count", {"mean_seek_ms"}),
        ("rebuffer_count", {"rebuffers_per_hour"}),
        ("bitrate_bps", {"bitrate_bps"}),
        ("dropped_frames", {"dropped_frames_per_min"}),
        ("play_ms", {ratio.name for ratio in RATIOS} - {"mean_seek_ms"}),
    ],
)
def test_a_session_enters_a_ratio_only_when_every_term_is_known(unknown, left_out):
    alone, beside = total(FULL), total(FULL, FULL | {unknown: None})
    for ratio in RATIOS:
        sums = [name for name in OUT_QOE_DAILY.columns if name.startswith(ratio.name) and name.endswith("_sum")]
        times = 1 if ratio.name in left_out else 2
        assert beside[f"{ratio.name}_n"] == times
        assert [beside[name] for name in sums] == pytest.approx([times * alone[name] for name in sums])


def test_outcomes_are_counted_and_unknown_ones_are_no_attempts():
    row = total(FULL, FULL | {"error_count": 1}, {"error_count": 1}, {"error_count": 0}, {}, {"error_count": 0})
    assert [row[f"{name}_n"] for name in OUTCOMES] == [1, 1, 2, 1]
    assert (row["sessions"], row["outcome_n"]) == (6, 5)


def test_first_moments_are_exact_where_squares_of_milliseconds_overflow():
    big = 2_147_483_647
    row = total(*[FULL | {"play_ms": big, "rebuffer_ms": big}] * 5)
    assert (row["rebuffer_pct_play_den_sum"], row["play_ms_sum"]) == (10 * big, 5 * big)
    assert row["rebuffer_pct_play_den_sq_sum"] == pytest.approx(5 * (2 * big / 1000) ** 2)


MEASURE = st.none() | st.integers(0, 10_000)
ROWS = st.lists(
    st.fixed_dictionaries(
        {name: MEASURE for name in FULL if name not in {"rebuffer_ratio_media3", "error_count"}}
        | {
            "error_count": st.sampled_from([None, 0, 1]),
            "rebuffer_ratio_media3": st.none() | st.floats(0, 1),
            "day": st.sampled_from([date(2026, 3, 1), date(2026, 3, 2)]),
            "content_id": st.sampled_from([None, "a"]),
            "stream_type": st.sampled_from([None, "hls"]),
            "cdn": st.sampled_from([None, "x", "y"]),
        }
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_sums_add_up(some, others):
    for module, dataset in ((qoe, OUT_QOE_DAILY), (histogram, OUT_QOE_HISTOGRAM_DAILY)):
        together, *parts = (
            module.aggregate(core_frame(rows, DIMENSIONS), DIMENSIONS) for rows in (some + others, some, others)
        )
        key = list(dataset.key)
        added = pl.concat(parts).group_by(key).agg(pl.all().sum()).select(together.columns)
        assert_frame_equal(together, added, check_row_order=False, rel_tol=1e-9, abs_tol=1e-9)


def random_core(n=5_000):
    rng = np.random.default_rng(3)

    def known(values, share=0.9):
        return pl.select(pl.when(pl.Series(rng.random(n) < share)).then(pl.Series(values))).to_series()

    lengths = {"startup_ms": 900, "play_ms": 90_000, "rebuffer_ms": 1_500, "seek_ms": 700, "duration_ms": 120_000}
    counts = {"rebuffer_count": 2, "seek_count": 1.5, "dropped_frames": 9, "error_count": 0.1}
    core = core_frame([{}] * n, DIMENSIONS).with_columns(
        **{name: known((rng.exponential(m, n) * (rng.random(n) > 0.2)).astype(int)) for name, m in lengths.items()},
        **{name: known(rng.poisson(mean, n)) for name, mean in counts.items()},
        bitrate_bps=known(rng.integers(100_000, 9_000_000, n)),
        rebuffer_ratio_media3=known(rng.random(n)),
        day=pl.lit(date(2026, 3, 1)) + pl.duration(days=pl.Series(rng.integers(0, 3, n))),
        content_id=known([f"c{value}" for value in rng.zipf(1.5, n) % 90]),
        stream_type=known(rng.choice(["hls", "dash"], n)),
        cdn=known([f"cdn é {value}" for value in rng.integers(0, 120, n)]),
        country=known(rng.choice(["NZ", "DE"], n)),
    )
    return core.with_columns(outcome=outcome())


@pytest.mark.parametrize(
    ("module", "dataset"), [(qoe, OUT_QOE_DAILY), (histogram, OUT_QOE_HISTOGRAM_DAILY)], ids=["qoe", "histogram"]
)
def test_engines_agree(module, dataset, tmp_path):
    core = random_core()
    core.write_parquet(tmp_path / "core.parquet")
    eager = module.aggregate(core, DIMENSIONS)
    lazy = module.aggregate(pl.scan_parquet(tmp_path / "core.parquet"), DIMENSIONS)
    with duckdb.connect() as connection:
        relation = module.aggregate(connection.read_parquet(str(tmp_path / "core.parquet")), DIMENSIONS)
        assert isinstance(relation, duckdb.DuckDBPyRelation)
        duck = pl.DataFrame(relation)
    for other in (lazy.collect(engine="streaming"), duck):
        assert other.schema == dataset.schema()
        assert_frame_equal(eager, other, check_row_order=False, rel_tol=1e-9, abs_tol=1e-9)
    assert eager.select(dataset.key).is_unique().all()
