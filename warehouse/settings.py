"""Where state is kept and how the data is shaped: the only place that reads storage environment and `playhead.toml`.

The endpoint's own settings (port, limits, keys) are in `ingest.settings`.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

from sqlalchemy import URL, make_url

from warehouse import policies
from warehouse.incidents.settings import IncidentSettings

DEFAULT_DIMENSIONS = {
    "app_version": "appVersion",
    "device_model": "deviceModel",
    "os_version": "osVersion",
    "network_type": "networkType",
    "country": "country",
    "cdn": "cdn",
    "player": "player",
    "experiment": "experiment",
}

_TABLES = ("dimensions", "emotes", "incidents", "retention")


class SettingsError(ValueError):
    """A setting cannot be used; the message names it."""


@dataclass(frozen=True)
class StorageSettings:
    """State and shape of the data, read once and passed in."""

    home: Path
    """All state lives under this folder."""
    lake_url: str
    """Folder or object-store URL of the lake."""
    database_url: URL | None = None
    """A PostgreSQL server; None means the embedded one under `home`."""
    pool_max: int = 20
    """Most connections of one process."""
    pool_min: int = 5
    """Connections kept open by one process."""
    dimensions: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_DIMENSIONS))
    """Column name of each configured dimension, and the payload field it is read from."""
    emotes: dict[str, float] = field(default_factory=dict)
    """Sentiment of emotes, -4 to 4, beside or instead of the shipped lexicon's."""
    retention: tuple[policies.Policy, ...] = policies.defaults(90)
    """How long rows are kept, from arrival."""
    incidents: IncidentSettings = field(default_factory=IncidentSettings)
    """When something is an incident, and who is told."""
    time_zone: str = "Pacific/Auckland"
    """IANA name of the zone whose midnights bound the days of users without one of their own."""
    fixed_now: datetime | None = None
    """The time that counts as now, where it is fixed (PLAYHEAD_NOW)."""

    @property
    def reports_dir(self) -> Path:
        """Folder of the published pages."""
        return self.home / "reports"

    @property
    def journal_dir(self) -> Path:
        """Folder of the workers' journals."""
        return self.home / "journal"

    def now(self) -> datetime:
        """Return the current time in UTC, or the fixed one."""
        return self.fixed_now or datetime.now(UTC)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> "StorageSettings":
        """Read the environment and `playhead.toml`; raise SettingsError, naming what is wrong."""
        env = os.environ if environ is None else environ
        home = Path(env.get("PLAYHEAD_HOME") or "data").expanduser().resolve()
        tables = _read_toml(home / "playhead.toml")
        return cls(
            home=home,
            lake_url=env.get("LAKE_URL") or str(home / "lake"),
            database_url=_database_url(env),
            pool_max=_integer(env, ("DB_POOL_MAX", "HIKARI_MAX_POOL_SIZE"), 20),
            pool_min=_integer(env, ("DB_POOL_MIN", "HIKARI_MIN_IDLE"), 5),
            dimensions=_dimensions(tables.get("dimensions")),
            emotes=_emotes(tables.get("emotes")),
            retention=_retention(tables.get("retention"), _integer(env, ("RETENTION_DAYS",), 90)),
            incidents=_incidents(tables.get("incidents", {})),
            time_zone=_time_zone(env.get("IMMERSION_TIMEZONE")),
            fixed_now=_instant(env.get("PLAYHEAD_NOW")),
        )


def _database_url(env: Mapping[str, str]) -> URL | None:
    given = env.get("DATABASE_URL")
    if given:
        try:
            url = make_url(given.removeprefix("jdbc:"))
        except Exception as error:
            raise SettingsError("DATABASE_URL is not a database URL") from error
        if url.get_backend_name() not in {"postgresql", "postgres"}:
            raise SettingsError(f"DATABASE_URL must name PostgreSQL, not {url.get_backend_name()}")
        query = dict(url.query)
        url = url.set(
            username=env.get("DATABASE_USER") or url.username or _first(query.pop("user", None)),
            password=env.get("DATABASE_PASSWORD") or url.password or _first(query.pop("password", None)),
            query=query,
        )
    elif env.get("POSTGRES_HOST"):
        url = URL.create(
            "postgresql",
            username=env.get("POSTGRES_USER") or "postgres",
            password=env.get("POSTGRES_PASSWORD"),
            host=env["POSTGRES_HOST"],
            port=_integer(env, ("POSTGRES_PORT",), 5432),
            database=env.get("POSTGRES_DB") or "postgres",
        )
    else:
        return None
    return url.set(drivername="postgresql+psycopg")


def _first(value: str | tuple[str, ...] | None) -> str | None:
    return value[0] if isinstance(value, tuple) else value


def _integer(env: Mapping[str, str], names: tuple[str, ...], default: int) -> int:
    for name in names:
        if text := env.get(name):
            if not text.isascii() or not text.isdigit():
                raise SettingsError(f"{name} must be a whole number, not {text!r}")
            return int(text)
    return default


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"PLAYHEAD_NOW must be an ISO 8601 time, not {text!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _time_zone(name: str | None) -> str:
    if not name:
        return StorageSettings.time_zone
    if name not in available_timezones():
        raise SettingsError(f"IMMERSION_TIMEZONE must be an IANA time zone, not {name!r}")
    return name


def _read_toml(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    for key in tables:
        if key not in _TABLES:
            near = difflib.get_close_matches(key, _TABLES, 1, 0.0)
            raise SettingsError(f"{path}: unknown key {key!r}; did you mean {near[0]!r}?")
    return tables


def _retention(table: object, default_days: int) -> tuple[policies.Policy, ...]:
    if default_days < 1:
        raise SettingsError("RETENTION_DAYS must be at least 1")
    try:
        return policies.parse(table, default_days)
    except policies.PolicyError as error:
        raise SettingsError(f"playhead.toml: {error}") from error


def _incidents(table: object) -> IncidentSettings:
    try:
        return IncidentSettings.from_table(table)
    except ValueError as error:
        raise SettingsError(f"playhead.toml: {error}") from error


def _dimensions(table: object) -> Mapping[str, str]:
    if table is None:
        return dict(DEFAULT_DIMENSIONS)
    if not isinstance(table, dict):
        raise SettingsError('playhead.toml: [dimensions] must be a table of column = "payloadField"')
    for column, source in table.items():
        if not column.isidentifier() or not column.islower():
            raise SettingsError(f"playhead.toml: dimension {column!r} must be a lower-case identifier")
        if not isinstance(source, str) or not source:
            raise SettingsError(f"playhead.toml: dimension {column!r} must name a payload field")
    return dict(table)


def _emotes(table: object) -> dict[str, float]:
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise SettingsError("playhead.toml: [emotes] must be a table of emote = -4 to 4")
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not -4 <= value <= 4:
            raise SettingsError(f"playhead.toml: emote {name!r} must be a number from -4 to 4")
    return {name: float(value) for name, value in table.items()}
