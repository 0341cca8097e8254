"""The access log: a line a request, in the form of `ingest.logs`, written together once a turn of the event loop."""

import asyncio
import logging
import sys
from datetime import UTC, datetime

import msgspec
import structlog

from ingest.logs import STDERR

_level = logging.getLogger("ingest.access")
_log = structlog.get_logger("ingest.access")


class Line(msgspec.Struct, omit_defaults=True, gc=False):
    """One request. Neither query strings nor headers: they may hold keys."""

    method: str
    path: str
    status: int
    duration_ms: float
    event: str
    request_id: str
    error: str | None = None
    level: str | None = None
    timestamp: datetime | None = None


class AccessLog:
    """Writes lines from one event loop. Rendering each with structlog would cost a tenth of the busiest route."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._encoder = msgspec.json.Encoder()

    def write(self, line: Line) -> None:
        """Log at `info`, at `warning` for a 4xx, at `error` for a 5xx."""
        level = logging.INFO if line.status < 400 else logging.WARNING if line.status < 500 else logging.ERROR
        if not _level.isEnabledFor(level):
            return
        if sys.stderr.isatty():
            fields = {name: value for name, value in msgspec.structs.asdict(line).items() if value is not None}
            _log.log(level, **fields)
            return
        line.level, line.timestamp = logging.getLevelName(level).lower(), datetime.now(UTC)
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line)

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        STDERR.write(self._encoder.encode_lines(lines).decode())
