"""Keys and origins from the environment and a secrets file."""

import json
from pathlib import Path
from typing import Any

import pytest

from warehouse.providers.settings import ProviderSettings, read_provider_settings
from warehouse.settings import SettingsError

SECRETS = {
    "users": [{"user": "alice", "password": "pw"}],
    "tvdb_api_key": "file-tvdb",
    "youtube_api_key": "file-youtube",
    "spotify_client_id": "file-id",
    "spotify_client_secret": "file-secret",
}


def write(folder: Path, content: Any) -> dict[str, str]:
    path = folder / "secrets.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return {"PLAYHEAD_SECRETS": str(path)}


def test_nothing_set() -> None:
    assert read_provider_settings({}) == ProviderSettings()
    assert ProviderSettings().tvdb_origin == "https://api4.thetvdb.com"


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    env = write(tmp_path, SECRETS) | {"TVDB_API_KEY": " env-tvdb ", "TMDB_API_READ_ACCESS_TOKEN": "env-tmdb"}
    settings = read_provider_settings(env)
    assert (settings.tvdb_api_key, settings.tmdb_api_read_access_token) == ("env-tvdb", "env-tmdb")
    assert (settings.youtube_api_key, settings.spotify_client_secret) == ("file-youtube", "file-secret")


def test_no_key_is_shown(tmp_path: Path) -> None:
    shown = repr(read_provider_settings(write(tmp_path, SECRETS)))
    assert "file-" not in shown


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://127.0.0.1:8081/", "http://127.0.0.1:8081"),
        ("http://127.0.0.1:8081/v4", "http://127.0.0.1:8081"),
        ("https://proxy.example/tvdb/v4/", "https://proxy.example/tvdb"),
    ],
)
def test_origins(given: str, expected: str) -> None:
    assert read_provider_settings({"IMMERSION_TRACKER_TVDB_BASE_URL": given}).tvdb_origin == expected


@pytest.mark.parametrize(
    "name",
    [
        "IMMERSION_TRACKER_TVDB_BASE_URL",
        "IMMERSION_TRACKER_TMDB_BASE_URL",
        "IMMERSION_TRACKER_YOUTUBE_BASE_URL",
        "IMMERSION_TRACKER_SPOTIFY_ACCOUNTS_BASE_URL",
        "IMMERSION_TRACKER_SPOTIFY_API_BASE_URL",
    ],
)
@pytest.mark.parametrize(
    "value", ["127.0.0.1:80", "ftp://host", "http://", "http://h:99999", "http://u:pw@h", "http://h?x=1", "http://[::1"]
)
def test_bad_origins_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as raised:
        read_provider_settings({name: value})
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize("field", ["tvdb_api_key", "tmdb_api_read_access_token", "spotify_client_secret"])
@pytest.mark.parametrize("value", [5, ["k"], "a\nsecret", "geheimnis-ü"])
def test_bad_keys_are_named_and_not_shown(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(SettingsError, match=field) as raised:
        read_provider_settings(write(tmp_path, SECRETS | {field: value}))
    assert "secret\n" not in str(raised.value)
    assert "geheimnis" not in str(raised.value)


@pytest.mark.parametrize(("given", "missing"), [("ID", "SPOTIFY_CLIENT_SECRET"), ("SECRET", "SPOTIFY_CLIENT_ID")])
def test_spotify_needs_both(given: str, missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        read_provider_settings({f"SPOTIFY_CLIENT_{given}": "x"})


@pytest.mark.parametrize(
    ("content", "told"), [("{", "not valid JSON"), ("[]", "JSON object"), ('"text"', "JSON object")]
)
def test_bad_files_are_named(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(SettingsError, match=rf"PLAYHEAD_SECRETS.*{told}"):
        read_provider_settings(write(tmp_path, content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PLAYHEAD_SECRETS.*cannot be read"):
        read_provider_settings({"PLAYHEAD_SECRETS": str(tmp_path / "none.json")})
