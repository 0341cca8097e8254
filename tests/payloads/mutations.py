"""Seeded mutations of bodies: what broken clients, proxies and attackers send. What is accepted is not said here."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from random import Random

from tests.payloads import Case

_VALUE = re.compile(rb":\s*(\"(?:[^\"\\]|\\.)*\"|-?[0-9][0-9.eE+-]*|true|false|null)")
_SWAPS: tuple[bytes, ...] = (
    b"null", b"true", b"0", b"-1", b"1.5", b'""', b'" "', b"[]", b"{}", b"[1]", b'{"a":1}', b'"1"', b"1e2", b"-0",
)  # fmt: skip
_NUMBERS: tuple[bytes, ...] = (
    b"2147483647", b"2147483648", b"-2147483649", b"9007199254740993", b"9223372036854775807", b"9223372036854775808",
    b"18446744073709551616", b"1e308", b"1e309", b"-1e400", b"1e-400", b"0.1e1", b"9" * 5000, b"1e99999999", b"NaN",
    b"Infinity", b"0x10", b"01", b"253402300799999", b"253402300800000", b"-62135596800000",
)  # fmt: skip
_TEXTS: tuple[str, ...] = (
    "\\u0000", "\\ud800", "\\udc00\\ud800", "\\uD83D\\uDE00", "\\u202e", "\ufeff", "\u2028", "e\u0301" * 60,
    "\\u0001", "\\b\\f", "\\x41", "\\u12", "a" * 129, "a" * 70_000, "'; DROP TABLE sessions; --", "\u0130\u0131", "\t",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-W07-6", "20260214T103000Z",
)  # fmt: skip


def mutated(cases: Sequence[Case], count: int, seed: int) -> Iterator[bytes]:
    """Yield so many bodies, each one to three mutations away from one of the corpus."""
    random = Random(seed)
    bodies = [case.body for case in cases if len(case.body) < 100_000]
    for _ in range(count):
        body = random.choice(bodies)
        for _ in range(random.choice((1, 1, 2, 3))):
            body = random.choice(_MUTATIONS)(body, bodies, random)
        yield body


def _flip(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    changed = bytearray(body or b"{")
    for _ in range(random.choice((1, 1, 4))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _truncate(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _duplicate(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    first, last = sorted(random.randrange(len(body) + 1) for _ in range(2))
    return body[:last] + body[first:last] * random.choice((1, 1, 50)) + body[last:]


def _splice(body: bytes, bodies: Sequence[bytes], random: Random) -> bytes:
    other = random.choice(bodies)
    return body[: random.randrange(len(body) + 1)] + other[random.randrange(len(other) + 1) :]


def _swap(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return _replace(body, random.choice(_SWAPS), random)


def _number(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return _replace(body, random.choice(_NUMBERS), random)


def _text(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    return _replace(body, f'"{random.choice(_TEXTS)}"'.encode(), random)


def _nest(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    depth = random.choice((2, 60, 1_000, 100_000))
    opened, closed = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return _replace(body, opened * depth + b"1" + closed * depth, random)


def _add(body: bytes, _: Sequence[bytes], random: Random) -> bytes:
    name = json.dumps(random.choice(("sessionId", "timestamp", "appVersion", "constructor", "x" * 300, "", "$ref")))
    value = random.choice((*_SWAPS, *_NUMBERS))
    return body.replace(b"{", b"{" + name.encode() + b":" + value + b",", 1)


def _replace(body: bytes, value: bytes, random: Random) -> bytes:
    """Put a value in the place of one that the body has."""
    found = list(_VALUE.finditer(body))
    if not found:
        return body + value
    chosen = random.choice(found)
    return body[: chosen.start(1)] + value + body[chosen.end(1) :]


_MUTATIONS: tuple[Callable[[bytes, Sequence[bytes], Random], bytes], ...] = (
    _flip, _truncate, _duplicate, _splice, _swap, _number, _text, _nest, _add,
)  # fmt: skip
