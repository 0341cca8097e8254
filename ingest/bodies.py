"""A request's body as plain bytes: media type, charset, encoding and size are settled here, content is not."""

import asyncio
import zlib
from typing import Any

import zstandard
from litestar import Request

from ingest.connections import WHOLE
from ingest.errors import InvalidSchema, PayloadTooLarge, RequestTimeout, UnsupportedMediaType

JSON = "application/json"
NDJSON = "application/x-ndjson"

BODY_S = 60.0
"""How long a body may take to arrive: who stalls must not hold memory, or a place among the batches, for ever."""

INFLATE_ASIDE = 64 << 10
"""A compressed body of more bytes is inflated in a thread, so that no other request waits for it."""


async def read(request: Request[Any, Any, Any], limit: int, media_types: tuple[str, ...] = (JSON,)) -> bytes:
    """Return the body, inflated where it is gzip or zstd.

    Raises UnsupportedMediaType, RequestTimeout where it stalls, PayloadTooLarge for more than `limit` bytes inflated
    (the route's `request_max_body_size` bounds what is sent), InvalidSchema for a corrupt encoding.
    """
    check_media_type(request.headers.get("content-type", ""), media_types)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in _DECODERS:
        raise UnsupportedMediaType(f"Content-Encoding must be one of {', '.join(_DECODERS)}")
    body = await (request.body() if request.scope["state"].get(WHOLE) else _arriving(request))
    try:
        if encoding != "identity" and len(body) > INFLATE_ASIDE:
            body = await asyncio.to_thread(_DECODERS[encoding], body, limit + 1)
        else:
            body = _DECODERS[encoding](body, limit + 1)
    except (zlib.error, zstandard.ZstdError, EOFError):
        raise InvalidSchema(f"Body is not valid {encoding}") from None
    if len(body) > limit:
        raise PayloadTooLarge(f"Body is larger than {limit} bytes")
    return body


async def _arriving(request: Request[Any, Any, Any]) -> bytes:
    try:
        async with asyncio.timeout(BODY_S):
            return await request.body()
    except TimeoutError:
        raise RequestTimeout(f"Body did not arrive within {BODY_S:g} s") from None


def check_media_type(header: str, media_types: tuple[str, ...]) -> str:
    """Return the media type that a Content-Type names; raise UnsupportedMediaType."""
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    if media_type not in media_types:
        raise UnsupportedMediaType(f"Content-Type must be {' or '.join(media_types)}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "utf8", "us-ascii"}:
            raise UnsupportedMediaType("charset must be utf-8")
    return media_type


def _identity(body: bytes, _most: int) -> bytes:
    return body


def _gunzip(body: bytes, most: int) -> bytes:
    inflated = b""
    while body and len(inflated) < most:
        member = zlib.decompressobj(wbits=31)
        inflated += member.decompress(body, most - len(inflated))
        if not member.eof and len(inflated) < most:
            raise EOFError
        body = member.unused_data
    return inflated


def _unzstd(body: bytes, most: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body, read_across_frames=True) as reader:
        parts = []
        while most > 0 and (part := reader.read(most)):
            parts.append(part)
            most -= len(part)
    return b"".join(parts)


_DECODERS = {"identity": _identity, "gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd}
