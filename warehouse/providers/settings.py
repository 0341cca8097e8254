"""Keys and origins of the metadata providers: the only place that reads them from the environment and the secrets.

`users` of the secrets file belong to the endpoint. Where state is kept is in `warehouse.settings`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from warehouse.settings import SettingsError

_KEYS = ("tvdb_api_key", "tmdb_api_read_access_token", "youtube_api_key", "spotify_client_id", "spotify_client_secret")

_ORIGINS = {
    "tvdb_origin": ("IMMERSION_TRACKER_TVDB_BASE_URL", "/v4"),
    "tmdb_origin": ("IMMERSION_TRACKER_TMDB_BASE_URL", "/3"),
    "youtube_origin": ("IMMERSION_TRACKER_YOUTUBE_BASE_URL", "/youtube/v3"),
    "spotify_accounts_origin": ("IMMERSION_TRACKER_SPOTIFY_ACCOUNTS_BASE_URL", "/api"),
    "spotify_api_origin": ("IMMERSION_TRACKER_SPOTIFY_API_BASE_URL", "/v1"),
}


@dataclass(frozen=True)
class ProviderSettings:
    """Keys (None: that provider is not asked), origins and limits. Its `repr` shows no key."""

    tvdb_api_key: str | None = field(default=None, repr=False)
    tmdb_api_read_access_token: str | None = field(default=None, repr=False)
    youtube_api_key: str | None = field(default=None, repr=False)
    spotify_client_id: str | None = field(default=None, repr=False)
    spotify_client_secret: str | None = field(default=None, repr=False)
    tvdb_origin: str = "https://api4.thetvdb.com"
    tmdb_origin: str = "https://api.themoviedb.org"
    youtube_origin: str = "https://www.googleapis.com"
    spotify_accounts_origin: str = "https://accounts.spotify.com"
    spotify_api_origin: str = "https://api.spotify.com"
    timeout_s: float = 5.0
    """Longest time that one answer may take, whatever the caller's deadline."""
    tvdb_requests_per_s: float = 10.0
    tmdb_requests_per_s: float = 40.0
    youtube_requests_per_s: float = 20.0
    spotify_requests_per_s: float = 10.0
    unknown_entries: int = 10_000
    """Most ids that are remembered as unknown to their provider."""
    unknown_ttl_s: float = 300.0
    """Seconds for which they are remembered."""

    @property
    def any_key(self) -> bool:
        """Whether there is a provider that can be asked."""
        keys = (self.tvdb_api_key, self.tmdb_api_read_access_token, self.youtube_api_key, self.spotify_client_id)
        return any(keys)


def read_provider_settings(environ: Mapping[str, str] | None = None) -> ProviderSettings:
    """Read the environment, which goes before the file that PLAYHEAD_SECRETS names.

    Raise SettingsError, which names the variable or the field of the file, never a value of a key.
    """
    env = os.environ if environ is None else environ
    path = env.get("PLAYHEAD_SECRETS")
    secrets = _read_secrets(Path(path).expanduser()) if path else {}
    keys = {name: _key(env, secrets, name, path) for name in _KEYS}
    if (keys["spotify_client_id"] is None) != (keys["spotify_client_secret"] is None):
        missing = "spotify_client_secret" if keys["spotify_client_id"] else "spotify_client_id"
        raise SettingsError(f"{missing.upper()} must be set too: Spotify needs both the id and the secret")
    origins = {
        name: _origin(variable, env[variable], prefix)
        for name, (variable, prefix) in _ORIGINS.items()
        if env.get(variable)
    }
    return ProviderSettings(**keys, **origins)  # type: ignore[arg-type] # names of text fields only


def _read_secrets(path: Path) -> Mapping[str, object]:
    try:
        secrets = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"PLAYHEAD_SECRETS: {path} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SettingsError(f"PLAYHEAD_SECRETS: {path} is not valid JSON") from None
    if not isinstance(secrets, dict):
        raise SettingsError(f"PLAYHEAD_SECRETS: {path} must hold a JSON object")
    return secrets


def _key(env: Mapping[str, str], secrets: Mapping[str, object], name: str, path: str | None) -> str | None:
    if given := env.get(name.upper(), "").strip():
        return _printable(name.upper(), given)
    value = secrets.get(name)
    where = f"PLAYHEAD_SECRETS: {name} in {path}"
    if value is None:
        return None
    if not isinstance(value, str):
        raise SettingsError(f"{where} must be text")
    return _printable(where, value.strip()) or None


def _printable(where: str, key: str) -> str:
    if not key.isascii() or not key.isprintable():
        raise SettingsError(f"{where} must be printable ASCII")
    return key


def _origin(variable: str, text: str, prefix: str) -> str:
    """Return scheme, host and any path before the provider's own, which may be there or not."""
    refusal = f"{variable} must be an http or https origin such as https://host:port"
    try:
        parts = urlsplit(text.strip())
        plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise SettingsError(refusal) from None
    if not plain or parts.query or parts.fragment or "@" in parts.netloc or not text.isascii():
        raise SettingsError(refusal)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix(prefix)}"
