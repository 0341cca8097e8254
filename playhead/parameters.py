"""Kinds of values that commands take: durations, ends, quotas, names."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from warehouse.keys import UNLIMITED

MAX_NAME = 128
_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if not (match := _DURATION.fullmatch(value)):
            self.fail(f"{value!r} is not a duration such as 24h or 90d", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


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


DURATION, EXPIRY, QUOTA, NAME = _Duration(), _Expiry(), _Quota(), _Name()
"""24h; 90d or an ISO time (without offset UTC); a positive number or 'unlimited'; a tenant, key or user name."""
