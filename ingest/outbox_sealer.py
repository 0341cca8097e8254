"""When a live worker brings the outbox into the lake: every 30 s. How is in `warehouse.landing.outbox`.

`ingest.recovery.drain` does the same at once.
"""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ingest.background import aside
from ingest.sealer import OUTSIDE, SEAL_EVERY_S
from warehouse.lake import Lake
from warehouse.landing import outbox
from warehouse.postgres import Database

_log = structlog.get_logger("ingest.outbox_sealer")


class OutboxSealer:
    """Seals until cancelled. `trouble` says what keeps it from doing so."""

    def __init__(self, database: Database, lake: Lake) -> None:
        self.trouble: str | None = None
        self._database = database
        self._lake = lake

    async def run(self) -> None:
        """Seal again and again; what Postgres or the lake raise is reported, and tried again."""
        while True:
            await asyncio.sleep(SEAL_EVERY_S)
            try:
                await aside(self._seal)
            except (*OUTSIDE, SQLAlchemyError) as error:
                self.trouble = f"sealing of the outbox waits: {type(error).__name__}"
                _log.warning("outbox not sealed", reason=str(error).strip())
            else:
                self.trouble = None

    def _seal(self) -> None:
        with self._database.connect() as connection:
            outbox.seal(connection, self._lake)
