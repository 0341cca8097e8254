"""Reading an answer: checked JSON into a declared shape, and the few field types that providers share.

Raises Refused, naming provider and field, never quoting the answer. Which fields there are is for each provider's
module to say.
"""

import re
from datetime import date
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec

from warehouse.providers.problems import ProviderFailure, Refused

S = TypeVar("S")

_MOST = 2_147_483_647
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,10})(?:[.,]\d{1,9})?S)?)?"
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_DATES = {"day": 10, "month": 7, "year": 4}


def document(provider: str, raw: bytes) -> Any:
    """Return the JSON of an answer."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused(f"{provider}: the answer is not valid JSON") from None


def shaped(provider: str, value: Any, shape: type[S]) -> S:
    """Return decoded JSON as the shape."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Refused(f"{provider}: unexpected answer: {error}") from None


def read(provider: str, raw: bytes, shape: type[S]) -> S:
    """Return a raw answer as the shape; it is refused where Postgres could not hold its text."""
    if _NUL.search(raw):
        raise Refused(f"{provider}: the answer holds U+0000")
    return read_page(provider, raw, shape)


def read_page(provider: str, raw: bytes, shape: type[S]) -> S:
    """Return a raw answer as the shape, whose parts are `msgspec.Raw`, each of which is still to be read."""
    document(provider, raw)
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise Refused(f"{provider}: unexpected answer: {error}") from None


def named(provider: str, field: str, text: str | None) -> str:
    """Return a name; an answer without one is refused."""
    if text is None or not text.strip():
        raise Refused(f"{provider}: unexpected answer: {field} is empty")
    return text


def positive(number: float | None) -> int | None:
    """Return whole minutes; None for none, which providers also write as 0."""
    return round(number) if number is not None and 0.5 <= number <= _MOST else None


def seconds(provider: str, text: str) -> int:
    """Return the whole seconds of an ISO 8601 duration of weeks to seconds, `P0D` and `P1DT2H` among them."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise Refused(f"{provider}: unexpected answer: the duration is not ISO 8601")
    total = sum(int(amount) * _SECONDS[unit] for unit, amount in match.groupdict().items() if amount)
    if total > _MOST:
        raise Refused(f"{provider}: unexpected answer: the duration is out of range")
    return total


def first_day(text: str | None, precision: str | None) -> date | None:
    """Return the first day of a date of day, month or year precision; None for what is no date."""
    length = _DATES.get(precision or "day")
    if text is None or length is None:
        return None
    try:
        return date.fromisoformat((text[:length] + "-01-01")[:10])
    except ValueError:
        return None


def expect_ok(provider: str, response: httpx.Response) -> bytes:
    """Return the body of a 200; raise ProviderFailure, for all ids on 401, else Refused."""
    status = response.status_code
    if status == HTTPStatus.OK:
        return response.content
    if status == HTTPStatus.UNAUTHORIZED:
        raise ProviderFailure(f"{provider}: refused the key ({status})", for_all=True)
    raise Refused(f"{provider}: answered {status}", blames_id=status == HTTPStatus.BAD_REQUEST)


def said_unknown(raw: bytes) -> bytes:
    """Return the raw answer that tells that something does not exist, `null` where it is not JSON."""
    try:
        read("", raw, object)
    except Refused:
        return b"null"
    return raw
