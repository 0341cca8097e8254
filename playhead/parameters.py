"""Kinds of values that commands take: durations, ends, quotas, names."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import click

from warehouse.access.keys import UNLIMITED

MAX_NAME = 128
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_GOAL = re.compile(r"(day|week)(?::([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*))?=(\d{1,5})")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if not (match := _DURATION.fullmatch(value)):
            self.fail(f"{value!r} is not a duration such as 24h or 90d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


class GoalValue(NamedTuple):
    """Minutes to watch in each period, in one language or, with None, in all; 0 for no goal."""

    period: str
    language: str | None
    minutes: int


class _Goal(click.ParamType[GoalValue]):
    name = "goal"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> GoalValue:
        if isinstance(value, GoalValue):
            return value
        if not (match := _GOAL.fullmatch(value)):
            self.fail(f"{value!r} is not a goal such as day=30 or week:ja=300", param, ctx)
        return GoalValue(match[1], match[2], int(match[3]))


class _Expiry(click.ParamType[datetime]):
    name = "duration or time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        now = datetime.now(UTC)
        if isinstance(value, datetime):
            return value
        if match := _DURATION.fullmatch(value):
            return now + timedelta(**{_UNITS[match[2]]: int(match[1])})
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a duration such as 90d nor an ISO time", param, ctx)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment <= now:
            self.fail(f"{value!r} is over", param, ctx)
        return moment


class _Quota(click.ParamType[int]):
    name = "requests|unlimited"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value.lower() == "unlimited":
            return UNLIMITED
        if not re.fullmatch(r"[0-9]{1,10}", value) or not 0 < int(value) <= 2_147_483_647:
            self.fail(f"{value!r} is neither a whole number above 0 nor 'unlimited'", param, ctx)
        return int(value)


class _Name(click.ParamType[str]):
    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not 0 < len(text) <= MAX_NAME or not text.isprintable() or text != text.strip():
            self.fail(f"must be 1 to {MAX_NAME} printable characters, without spaces around them", param, ctx)
        return text


DURATION, EXPIRY, QUOTA, NAME, GOAL = _Duration(), _Expiry(), _Quota(), _Name(), _Goal()
"""24h; 90d or an ISO time (without offset UTC); a positive number or 'unlimited'; a name of something; day=30."""
