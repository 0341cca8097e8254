"""What Dagster is told of: exact names, so that nothing appears or vanishes unnoticed."""

import subprocess
import sys

import pytest

from pipelines.definitions import build_defs


@pytest.fixture(scope="module")
def repository():
    return build_defs().get_repository_def()


def test_assets(repository):
    assert {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()} == {
        "raw_sessions",
        "core_sessions",
        "core_sessions_quarantine",
        "out_qoe_daily",
        "out_qoe_histogram_daily",
        "out_qoe_histogram_hourly",
        "out_qoe_hourly",
        "incidents",
        "report_qoe",
        "retention",
        "housekeeping",
        "raw_watches",
        "raw_metadata",
        "enriched_metadata",
        "core_watches",
        "out_progress_daily",
        "report_progress",
        "report_streams",
        "report_engagement",
        "raw_events",
        "core_events",
        "core_watched_seconds",
        "out_engagement",
        "raw_streams",
        "raw_chat",
        "raw_viewers",
        "core_streams",
        "core_chat",
        "core_viewers",
        "out_chat_minute",
        "out_moments",
        "raw_cmcd",
        "core_cmcd",
        "out_cmcd_sessions",
    }


def test_checks(repository):
    assert {key.to_user_string() for key in repository.asset_graph.asset_check_keys} == {
        "core_sessions:keys_unique",
        "core_sessions:counts_reconcile",
        "out_qoe_daily:sessions_add_up",
        "out_qoe_daily:fresh",
        "core_watches:keys_unique",
        "out_progress_daily:watches_add_up",
        "out_progress_daily:fresh",
        "enriched_metadata:unenriched",
        "core_streams:keys_unique",
        "core_streams:counts_reconcile",
        "core_chat:keys_unique",
        "core_chat:counts_reconcile",
        "core_viewers:keys_unique",
        "core_viewers:counts_reconcile",
        "core_events:keys_unique",
        "core_events:counts_reconcile",
        "core_cmcd:keys_unique",
        "core_cmcd:counts_reconcile",
        "out_chat_minute:fresh",
        "out_engagement:fresh",
        "out_cmcd_sessions:fresh",
        "out_chat_minute:minutes_add_up",
        "out_engagement:seconds_add_up",
    }


def test_sensors_and_schedules(repository):
    assert {sensor.name for sensor in repository.sensor_defs} == {"stale_partitions"}
    assert {(schedule.name, schedule.cron_schedule) for schedule in repository.schedule_defs} == {
        ("hourly_qoe", "5 * * * *"),
        ("hourly_progress", "5 * * * *"),
        ("hourly_events", "5 * * * *"),
        ("hourly_live", "5 * * * *"),
        ("hourly_cmcd", "5 * * * *"),
        ("daily_publish", "30 0 * * *"),
        ("daily_retention", "0 2 * * *"),
        ("enrichment", "*/15 * * * *"),
    }
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {
        "build_qoe",
        "refresh_qoe",
        "build_progress",
        "refresh_progress",
        "build_events",
        "refresh_events",
        "build_live",
        "refresh_live",
        "build_cmcd",
        "refresh_cmcd",
        "publish",
        "retain",
        "enrich",
    }


def test_code_location_loads_in_a_fresh_interpreter_and_opens_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "import pipelines.definitions"],
        env={"PLAYHEAD_HOME": str(tmp_path / "home"), "PATH": ""},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not (tmp_path / "home").exists()
