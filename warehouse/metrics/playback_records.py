"""What one session's player events are, and what is known of the session they make: records, no rules.

The rules are in `playback`.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class Event(NamedTuple):
    """One event whose time is known; the other fields are columns of `CORE_EVENTS`."""

    at_ms: int
    type: str
    position_s: float | None = None
    startup_ms: float | None = None
    from_s: float | None = None
    to_s: float | None = None
    phase: str | None = None
    bitrate_bps: float | None = None
    width: float | None = None
    height: float | None = None
    frame_count: float | None = None
    playing: bool | None = None
    code: str | None = None
    message: str | None = None
    fatal: bool | None = None
    error_kind: str | None = None


@dataclass(slots=True)
class Stall:
    """A run of buffering after the first frame; `duration_ms` leaves out what was paused."""

    at_ms: int
    position_s: float | None
    duration_ms: int = 0


@dataclass(slots=True)
class Playback:
    """What is known of a session. Times in ms; None is not measured."""

    started_ms: int
    ended_ms: int
    startup_ms: int | None = None
    play_ms: int = 0
    rebuffer_ms: int = 0
    seek_ms: int = 0
    stalls: list[Stall] = field(default_factory=list)
    seeks: list[Event] = field(default_factory=list)
    quality_changes: list[Event] = field(default_factory=list)
    errors: list[Event] = field(default_factory=list)
    dropped_frames: int | None = None
    bitrate_bps: int | None = None
    completed: bool = False
    gap: bool = False
    long_stall: bool = False

    @property
    def error_count(self) -> int:
        """Fatal technical errors."""
        return sum(error.error_kind != "business" and error.fatal is not False for error in self.errors)

    @property
    def business_error_count(self) -> int:
        """Errors by decision: no right, no subscription, wrong country."""
        return sum(error.error_kind == "business" for error in self.errors)
