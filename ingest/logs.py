"""How logs look: one JSON object a line on stderr, or colours on a terminal. What is logged is decided elsewhere."""

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import msgspec
import structlog


class _Stderr:
    """Standard error without its failures: a log on a full disk must not fail the request that it is about."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


STDERR = _Stderr()


def configure(level: str) -> None:
    """Set up structlog and the standard library's loggers (uvicorn's) alike, from this level on."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        # The default traceback shows local variables: keys and passwords among them.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    tracebacks = [] if terminal else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[*shared, *tracebacks, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", STDERR)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(STDERR)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tracebacks, renderer],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _json(event: dict[str, Any], default: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=default).decode()
