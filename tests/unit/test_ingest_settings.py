from pathlib import Path

import pytest

from ingest.settings import IngestSettings
from warehouse.settings import SettingsError


def test_defaults() -> None:
    settings = IngestSettings.from_environ({})
    assert (settings.host, settings.port, settings.api_key) == ("127.0.0.1", 8080, "dev-key")
    assert settings.enable_metrics
    assert settings.session_limit == 1_048_576


def test_environment_and_arguments() -> None:
    env = {"PORT": "9000", "M3W_API_KEY": "k", "LOG_LEVEL": "warn", "ENABLE_METRICS": "FALSE"}
    settings = IngestSettings.from_environ(env, host="0.0.0.0", port=0)
    assert (settings.host, settings.port, settings.log_level) == ("0.0.0.0", 0, "WARNING")
    assert not settings.enable_metrics
    assert IngestSettings.from_environ(env).port == 9000


def test_limits_and_secrets(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"users": [{"user": "bob", "password": "pw-4711"}]}')
    defaults = IngestSettings.from_environ({})
    assert (defaults.rate_limit, defaults.rate_window_s, defaults.redis_url, defaults.users) == (100, 60, None, {})
    env = {
        "RATE_LIMIT_REQUESTS": "7",
        "RATE_LIMIT_WINDOW_SEC": "10",
        "REDIS_URL": "redis://h",
        "PLAYHEAD_SECRETS": "/s",
    }
    settings = IngestSettings.from_environ(env | {"PLAYHEAD_SECRETS": str(tmp_path / "s.json")})
    assert (settings.rate_limit, settings.rate_window_s, settings.redis_url) == (7, 10, "redis://h")
    assert settings.users["bob"].startswith("$argon2id$")
    assert IngestSettings.from_environ({"RATE_LIMIT_REQUESTS": "unlimited"}).rate_limit == 0


def test_secrets_are_not_shown() -> None:
    settings = IngestSettings.from_environ({"M3W_API_KEY": "own-4711", "REDIS_URL": "redis://:pw-4711@h"})
    assert "4711" not in repr(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_dev_key_on_loopback(host: str) -> None:
    assert IngestSettings.from_environ({}, host=host).api_key == "dev-key"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_dev_key_elsewhere_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="M3W_API_KEY"):
        IngestSettings.from_environ({}, host=host)
    with pytest.raises(SettingsError, match="M3W_API_KEY"):
        IngestSettings.from_environ({"M3W_API_KEY": "dev-key"}, host=host)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "80a"),
        ("PORT", "70000"),
        ("LOG_LEVEL", "loud"),
        ("ENABLE_METRICS", "maybe"),
        ("RATE_LIMIT_REQUESTS", "0"),
        ("RATE_LIMIT_REQUESTS", "-5"),
        ("RATE_LIMIT_WINDOW_SEC", "0"),
        ("RATE_LIMIT_WINDOW_SEC", "1.5"),
        ("REDIS_URL", "localhost:6379"),
        ("PLAYHEAD_SECRETS", "/does/not/exist.json"),
    ],
)
def test_bad_values_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        IngestSettings.from_environ({name: value})
