"""The endpoint's own settings: where it listens, the key that is always valid, users, limits, logs.

Read once and passed in. Where state is kept is in `warehouse.settings`.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from warehouse.access.keys import UNLIMITED
from warehouse.access.users import users_of
from warehouse.providers.settings import ProviderSettings, read_provider_settings
from warehouse.settings import SettingsError

DEV_KEY = "dev-key"
REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
_ORIGIN = re.compile(r"https?://[^/\s,?#@]+")
LOG_LEVELS = ("DEBUG", "INFO", "WARN", "WARNING", "ERROR")


@dataclass(frozen=True)
class IngestSettings:
    """Settings of one endpoint."""

    host: str = "127.0.0.1"
    """Address to bind."""
    port: int = 8080
    """Port to bind; 0 for any free one."""
    workers: int = 1
    """Processes that serve together; where their rate limits cannot be shared, each holds an equal part."""
    api_key: str = field(default=DEV_KEY, repr=False)
    """A key that is always valid, of tenant `default`."""
    session_limit: int = 1 << 20
    """Most bytes of one session, inflated."""
    rate_limit: int = 100
    """Requests a window of a key on landing routes, unless it has a quota of its own; 0 for no limit."""
    rate_window_s: int = 60
    """Length of a window, which begins at its multiples."""
    redis_url: str | None = field(default=None, repr=False)
    """Where workers share rate limits, instead of Postgres."""
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Users of the tracker that the secrets file names, with their password hashes."""
    providers: ProviderSettings = field(default_factory=ProviderSettings)
    """Keys and origins of the metadata providers."""
    enrich_s: float = 5.0
    """How long a sync may wait for metadata; what has not come then comes later."""
    cors_origins: tuple[str, ...] = ("https://immersion-tracker.jordansimsmith.com",)
    """Origins whose pages may call the endpoint; `*` for all."""
    log_level: str = "INFO"
    """Least severe level that is logged."""
    enable_metrics: bool = True
    """Whether `/metrics` is served."""

    def __post_init__(self) -> None:
        if self.api_key == DEV_KEY and not _is_loopback(self.host):
            raise SettingsError(f"M3W_API_KEY must be set to bind to {self.host}: {DEV_KEY!r} is for loopback only")
        if self.redis_url and not self.redis_url.startswith(REDIS_SCHEMES):
            raise SettingsError(f"REDIS_URL must begin with {', '.join(REDIS_SCHEMES)}")
        if self.redis_url and find_spec("redis") is None:
            raise SettingsError("REDIS_URL needs the extra `redis`: pip install 'playhead[redis]'")

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str] | None = None, *, host: str | None = None, port: int | None = None
    ) -> "IngestSettings":
        """Read the environment; `host` and `port` go before it. Raise SettingsError, naming what is wrong."""
        env = os.environ if environ is None else environ
        return cls(
            host=host or cls.host,
            port=_port(env.get("PORT")) if port is None else port,
            api_key=env.get("M3W_API_KEY") or DEV_KEY,
            rate_limit=_limit(env.get("RATE_LIMIT_REQUESTS")),
            rate_window_s=_positive("RATE_LIMIT_WINDOW_SEC", env.get("RATE_LIMIT_WINDOW_SEC"), cls.rate_window_s),
            redis_url=env.get("REDIS_URL") or None,
            users=users_of(Path(env["PLAYHEAD_SECRETS"]).expanduser()) if env.get("PLAYHEAD_SECRETS") else {},
            providers=read_provider_settings(env),
            cors_origins=_origins(env.get("CORS_ORIGINS")),
            log_level=_level(env.get("LOG_LEVEL")),
            enable_metrics=_switch("ENABLE_METRICS", env.get("ENABLE_METRICS")),
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(text: str | None) -> int:
    if not text:
        return IngestSettings.port
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise SettingsError(f"PORT must be a whole number up to 65535, not {text!r}")
    return int(text)


def _limit(text: str | None) -> int:
    if (text or "").lower() == "unlimited":
        return UNLIMITED
    return _positive("RATE_LIMIT_REQUESTS", text, IngestSettings.rate_limit)


def _positive(name: str, text: str | None, default: int) -> int:
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 2_147_483_647:
        raise SettingsError(f"{name} must be a whole number above 0, not {text!r}")
    return int(text)


def _level(text: str | None) -> str:
    level = (text or IngestSettings.log_level).upper()
    if level not in LOG_LEVELS:
        raise SettingsError(f"LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}, not {text!r}")
    return "WARNING" if level == "WARN" else level


def _origins(text: str | None) -> tuple[str, ...]:
    if text is None:
        return IngestSettings.cors_origins
    origins = tuple(origin.strip().rstrip("/") for origin in text.split(",") if origin.strip())
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise SettingsError(f"CORS_ORIGINS must list origins such as https://host:port, not {origin!r}")
    return origins


def _switch(name: str, text: str | None) -> bool:
    lowered = (text or "true").lower()
    if lowered not in {"true", "1", "yes", "on", "false", "0", "no", "off"}:
        raise SettingsError(f"{name} must be true or false, not {text!r}")
    return lowered in {"true", "1", "yes", "on"}
