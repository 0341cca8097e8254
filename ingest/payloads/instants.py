"""Times as senders tell them: epoch milliseconds or ISO 8601, and whether such a clock can be right.

Sessions have a contract of their own for their start, in `session`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.errors import InvalidSchema
from ingest.payloads.session import AHEAD_MS, EARLIEST_START_MS, MAX_TIMESTAMP

Instant = int | float | str
"""The type of such a field."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a body arrived, by the server's clock."""

    us: int
    """Epoch microseconds."""

    @classmethod
    def at(cls, now: datetime) -> "Arrival":
        """Return the arrival of a body that is received `now`."""
        return cls((now - _EPOCH) // _MICROSECOND)

    @property
    def ms(self) -> int:
        """Epoch milliseconds, cut."""
        return self.us // 1000

    def believes(self, claimed_ms: int) -> bool:
        """Return whether a clock that says so can be right: not before 2005, at most a day ahead of arrival."""
        return EARLIEST_START_MS <= claimed_ms <= self.ms + AHEAD_MS


def milliseconds(value: Instant, field: str) -> int:
    """Return epoch milliseconds, cut; ISO 8601 without offset is UTC. Raises InvalidSchema, naming the field."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            ms = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND // 1000
        except (ValueError, OverflowError):
            raise InvalidSchema(f"{field} must be epoch milliseconds or an ISO 8601 date and time") from None
    else:
        ms = int(value) if abs(value) <= MAX_TIMESTAMP else -1
    if not 0 <= ms <= MAX_TIMESTAMP:
        raise InvalidSchema(f"{field} must be between 1970 and 9999")
    return ms
