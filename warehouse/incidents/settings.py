"""`[incidents]` of `playhead.toml`: when something is an incident, and who is told. Read by `warehouse.settings`."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit

from warehouse.metrics.incident_rules import Thresholds

_WEBHOOK = "webhook"
_RULES = {rule.name: rule for rule in fields(Thresholds)}
_LEAST = {"cohort": 10, "score": 3.0, "rise": 1.05, "history_days": 3}


@dataclass(frozen=True)
class IncidentSettings:
    """When something is an incident, and the address that is told of it; None tells nobody."""

    webhook: str | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)

    @classmethod
    def from_table(cls, table: object) -> "IncidentSettings":
        """Read the table; raise ValueError, naming what is wrong in it."""
        if not isinstance(table, Mapping):
            raise ValueError('[incidents] must be a table, such as webhook = "https://…"')  # noqa: TRY004
        known = (_WEBHOOK, *_RULES)
        for key in table:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1, 0.0)
                raise ValueError(f"unknown key {key!r} in [incidents]; did you mean {near[0]!r}?")
        rules = {name: _number(name, table[name]) for name in _RULES if name in table}
        return cls(_url(table.get(_WEBHOOK)), Thresholds(**rules))  # type: ignore[arg-type]


def _number(name: str, value: object) -> int | float:
    whole = _RULES[name].type is int
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise ValueError(f"incidents.{name} must be {'a whole number' if whole else 'a number'}, not {value!r}")  # noqa: TRY004
    if value < _LEAST[name]:
        raise ValueError(f"incidents.{name} must be at least {_LEAST[name]}, not {value!r}")
    return value


def _url(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise ValueError("incidents.webhook must be an http(s) address")
    return value
