"""Storage settings: what the environment and `playhead.toml` may say, and how mistakes are told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from warehouse.policies import defaults
from warehouse.settings import DEFAULT_DIMENSIONS, SettingsError, StorageSettings


def read(tmp_path: Path, **environ: str) -> StorageSettings:
    return StorageSettings.from_environ({"PLAYHEAD_HOME": str(tmp_path), **environ})


def url(settings: StorageSettings) -> str:
    assert settings.database_url is not None
    return settings.database_url.render_as_string(hide_password=False)


def test_defaults(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.database_url is None
    assert settings.lake_url == str(tmp_path / "lake")
    assert (settings.pool_min, settings.pool_max, settings.retention) == (5, 20, defaults(90))
    assert settings.dimensions == DEFAULT_DIMENSIONS
    assert settings.now().tzinfo is UTC


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DATABASE_URL": "postgresql://u:p@h:5433/d"}, "postgresql+psycopg://u:p@h:5433/d"),
        (
            {"DATABASE_URL": "jdbc:postgresql://h:5432/d", "DATABASE_USER": "m3w", "DATABASE_PASSWORD": "p@:/w"},
            "postgresql+psycopg://m3w:p%40%3A%2Fw@h:5432/d",
        ),
        (
            {"DATABASE_URL": "jdbc:postgresql://h/d?user=u&password=p&sslmode=require"},
            "postgresql+psycopg://u:p@h/d?sslmode=require",
        ),
        (
            {"POSTGRES_HOST": "h", "POSTGRES_USER": "u", "POSTGRES_PASSWORD": "p", "POSTGRES_DB": "d"},
            "postgresql+psycopg://u:p@h:5432/d",
        ),
        ({"POSTGRES_HOST": "h", "POSTGRES_PORT": "6000"}, "postgresql+psycopg://postgres@h:6000/postgres"),
        ({"DATABASE_URL": "postgresql://u@h/d", "POSTGRES_HOST": "other"}, "postgresql+psycopg://u@h/d"),
    ],
)
def test_database_urls(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    assert url(read(tmp_path, **environ)) == expected


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": "nowhere"}, "DATABASE_URL"),
        ({"DB_POOL_MAX": "many"}, "DB_POOL_MAX"),
        ({"HIKARI_MIN_IDLE": "-1"}, "HIKARI_MIN_IDLE"),
        ({"POSTGRES_HOST": "h", "POSTGRES_PORT": "x"}, "POSTGRES_PORT"),
        ({"PLAYHEAD_NOW": "today"}, "PLAYHEAD_NOW"),
    ],
)
def test_mistakes_name_the_variable(tmp_path: Path, environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read(tmp_path, **environ)


def test_pool_sizes_have_the_seeds_names_too(tmp_path: Path) -> None:
    settings = read(tmp_path, HIKARI_MAX_POOL_SIZE="7", HIKARI_MIN_IDLE="2", DB_POOL_MAX="9")
    assert (settings.pool_min, settings.pool_max) == (2, 9)


def test_now_may_be_fixed(tmp_path: Path) -> None:
    assert read(tmp_path, PLAYHEAD_NOW="2026-01-02T03:04:05+01:00").now() == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert read(tmp_path, PLAYHEAD_NOW="2026-01-02").now() == datetime(2026, 1, 2, tzinfo=UTC)


def test_dimensions_come_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "playhead.toml").write_text('[dimensions]\nhouse = "houseId"\n')
    assert read(tmp_path).dimensions == {"house": "houseId"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[dimension]\nhouse = "h"', "did you mean 'dimensions'"),
        ("dimensions = 3", "must be a table"),
        ('[dimensions]\n"No Name" = "h"', "lower-case identifier"),
        ("[dimensions]\nhouse = 3", "must name a payload field"),
        ("[dimensions", "playhead.toml"),
    ],
)
def test_mistakes_in_the_file_are_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "playhead.toml").write_text(content)
    with pytest.raises(SettingsError, match=message):
        read(tmp_path)


def test_incidents_are_configured(tmp_path: Path) -> None:
    text = '[incidents]\nwebhook = "https://example.org/hook"\nscore = 6\ncohort = 100\n'
    (tmp_path / "playhead.toml").write_text(text, encoding="utf-8")
    found = read(tmp_path).incidents
    assert found.webhook == "https://example.org/hook"
    assert (found.thresholds.score, found.thresholds.cohort, found.thresholds.rise) == (6, 100, 1.3)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("webhok = 'http://h'", "'webhook'"),
        ("scores = 3.5", "'score'"),
        ("webhook = 'ftp://h'", "incidents.webhook"),
        ("webhook = 7", "incidents.webhook"),
        ("cohort = 2.5", "incidents.cohort"),
        ("rise = true", "incidents.rise"),
        ("score = 1", "at least 3"),
    ],
)
def test_mistakes_about_incidents_are_told(tmp_path: Path, line: str, named: str) -> None:
    (tmp_path / "playhead.toml").write_text(f"[incidents]\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=named):
        read(tmp_path)
