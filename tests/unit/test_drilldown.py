"""From a number to its sessions: they make it, all of it, and nothing else."""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.report_pages import BAD_RELEASE, DIMENSIONS, EVIL, sessions
from tests.unit.session_frames import DAY
from warehouse import exploring
from warehouse.datasets import CORE_SESSIONS, RAW_SESSIONS
from warehouse.lake import Lake
from warehouse.metrics import histogram, qoe
from warehouse.metrics.drilldown import contributors, payloads
from warehouse.metrics.registry import SUMMED

CORE = sessions(900)


def value(core: pl.DataFrame, metric: str) -> float:
    row = qoe.summarize(qoe.aggregate(core, {})).filter(pl.col("metric") == metric)
    return float(row["value"].item())


@pytest.mark.parametrize(
    "metric",
    [name for name in SUMMED if name not in {"mean_seek_ms", "dropped_frames_per_min", "rebuffer_ratio_media3"}],
)
def test_leaving_a_session_out_moves_the_number_by_its_contribution(metric: str) -> None:
    found = contributors(CORE, metric, limit=None)
    assert found["contribution"].sum() == pytest.approx(0, abs=1e-6 * abs(value(CORE, metric)) + 1e-9)
    heaviest = found.row(0, named=True)
    rest = CORE.filter(pl.col("ingest_id") != heaviest["ingest_id"])
    moved = value(CORE, metric) - value(rest, metric)
    assert moved == pytest.approx(heaviest["contribution"], rel=0.05, abs=1e-9)


@given(
    metric=st.sampled_from(["rebuffer_pct_play", "startup_ms", "vsf_pct", "vpf_pct", "ebvs_pct"]),
    keep=st.integers(100, 900),
)
@settings(max_examples=20, deadline=None)
def test_as_many_sessions_enter_as_the_number_counts(metric: str, keep: int) -> None:
    core = CORE.head(keep)
    summary = qoe.summarize(qoe.aggregate(core, {})).filter(pl.col("metric") == metric)
    assert contributors(core, metric, limit=None).height == summary["n"].item()


def test_the_worst_come_first_whatever_is_good() -> None:
    assert contributors(CORE, "experience_score").item(0, "contribution") < 0
    assert contributors(CORE, "rebuffer_pct_play").item(0, "contribution") > 0
    assert contributors(CORE, "failure_pct").head(3)["outcome"].is_in(["video_start_failure", "playback_failure"]).all()


def test_a_quantile_is_made_by_those_at_or_above_it() -> None:
    found = contributors(CORE, "startup_ms_p95", limit=None)
    hist = histogram.aggregate(CORE, {})
    p95 = histogram.quantiles(hist, qs=(0.95,))["value"].item()
    assert found["contribution"].min() == pytest.approx(p95, rel=0.01)
    assert found.height == CORE["startup_ms"].count() - -(-CORE["startup_ms"].count() * 95 // 100) + 1
    assert contributors(CORE, "sessions", limit=None)["contribution"].sum() == CORE.height
    hours = contributors(CORE, "play_hours", limit=None)["contribution"].sum()
    assert hours == pytest.approx(CORE["play_ms"].sum() / 3_600_000)


def test_slices_and_days_choose() -> None:
    bad = DAY + timedelta(days=7)
    found = contributors(
        CORE, "vsf_pct", where={"app_version": BAD_RELEASE, "content_id": EVIL}, days=(bad, bad), limit=None
    )
    wanted = CORE.filter(pl.col("app_version") == BAD_RELEASE, pl.col("content_id") == EVIL, pl.col("day") == bad)
    assert set(found["ingest_id"]) == set(wanted["ingest_id"])
    assert contributors(CORE, "vsf_pct", where={"cdn": None}, limit=None).height == CORE.height


@pytest.mark.parametrize(
    ("metric", "where"),
    [("nothing", {}), ("startup_ms_pxx", {}), ("vsf_pct", {"user_id": "u1"}), ("vsf_pct", {"x": "1"})],
)
def test_what_is_not_known_is_refused(metric: str, where: dict[str, str | None]) -> None:
    with pytest.raises(ValueError, match=r"nothing|startup_ms_pxx|user_id|'x'"):
        contributors(CORE, metric, where=where)


def test_every_session_leads_to_its_payload() -> None:
    found = contributors(CORE, "vsf_pct")
    raw = pl.DataFrame(
        {
            "day": CORE["day"],
            "ingest_id": CORE["ingest_id"],
            "received_at": CORE["started_at"],
            "payload": CORE["session_id"],
        }
    )
    with_raw = payloads(found, raw.filter(pl.col("ingest_id") != found.item(1, "ingest_id")))
    assert with_raw["payload"].null_count() == 1
    assert with_raw.drop_nulls("payload").select(pl.col("payload") == pl.col("session_id")).to_series().all()
    assert with_raw["ingest_id"].equals(found["ingest_id"])


def test_a_copied_line_gives_the_sessions(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = "\n".join(f'{column} = "{source}"' for column, source in DIMENSIONS.items())
    (tmp_path / "playhead.toml").write_text(f"[dimensions]\n{named}\n", encoding="utf-8")
    monkeypatch.setenv("PLAYHEAD_HOME", str(tmp_path))
    monkeypatch.delenv("LAKE_URL", raising=False)
    lake = Lake(str(tmp_path / "lake"), DIMENSIONS)
    lake.replace_days(CORE_SESSIONS, CORE, CORE["day"].unique().to_list())
    raw = CORE.select(
        pl.col(name) if name in CORE.columns else pl.lit(None).alias(name) for name in RAW_SESSIONS.columns
    )
    raw = raw.with_columns(payload=pl.lit('{"a": 1}')).cast(RAW_SESSIONS.schema())
    lake.replace_days(RAW_SESSIONS, raw, raw["day"].unique().to_list())
    days = {"day": (DAY + timedelta(days=2)).isoformat(), "until": (DAY + timedelta(days=7)).isoformat()}
    text = exploring.line("vsf_pct", "t", [("content_id", EVIL), ("app_version", BAD_RELEASE)], **days)
    found = eval(text, {"sessions_behind": exploring.sessions_behind})
    span = (DAY + timedelta(days=2), DAY + timedelta(days=7))
    wanted = contributors(CORE, "vsf_pct", where={"content_id": EVIL, "app_version": BAD_RELEASE}, days=span)
    assert found.select("contribution", "ingest_id").equals(wanted.select("contribution", "ingest_id"))
    assert exploring.payload_of(found.row(0, named=True)) == {"a": 1}
    assert exploring.payload_of({"day": DAY, "tenant": "t", "ingest_id": "gone"}) is None
