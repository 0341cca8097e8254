"""What one session's player events say: time playing, stalled and seeking, stalls, seeks, quality, errors.

One pass over the events of one session, in the order of `events.ordered`. Frames of many sessions, and what a summary
knows besides, are in `watching`.

Rules:
- Playing begins with the first frame: the first `ready`, or a heartbeat that plays; where neither came, the first
  `play` that playback follows, or the end of the buffering that begins with it. What is buffered before is startup.
- A stall runs from the first `buffer_start` to the next `buffer_end`, seek, load, completion or fatal error: repeated
  starts are one stall. While paused it counts and takes no time (as Media3 does); one that begins within `SEEK_MS` of
  a seek is the seek's.
- A silence over `GAP_MS` while playing, in a session whose heartbeats say that it plays, or a stall over
  `LONG_STALL_MS` ends the measured part (Puffer's rule; Yan et al., NSDI 2020), of which the stall's first
  `LONG_STALL_MS` are the last. A silence over `MAX_SILENCE_MS` ends it always. Errors count wherever they are.
"""

from collections.abc import Sequence
from typing import Literal

from warehouse.metrics.playback_records import Event, Playback, Stall

GAP_MS = 8_000
LONG_STALL_MS = 20_000
SEEK_MS = 1_000
MAX_SILENCE_MS = 86_400_000

_PROGRESS = frozenset({"pause", "seek", "complete", "buffer_start", "buffer_end", "heartbeat"})
"""Events that only a started playback sends."""


def measure(events: Sequence[Event]) -> Playback:
    """Measure a session from its events, at least one, in order."""
    playback = Playback(events[0].at_ms, events[-1].at_ms)
    playback.errors = [event for event in events if event.type == "error"]
    playback.startup_ms = _startup_ms(events)
    _Pass(playback, events).run()
    return playback


def _startup_ms(events: Sequence[Event]) -> int | None:
    """Return what the first `ready` says; where it says nothing, the time from the last load before it."""
    ready = next((event for event in events if event.type == "ready"), None)
    if ready is None:
        return None
    if ready.startup_ms is not None:
        return round(ready.startup_ms)
    loads = [event.at_ms for event in events if event.type == "load" and event.at_ms <= ready.at_ms]
    return ready.at_ms - loads[-1] if loads else None


def _first_frame_ms(events: Sequence[Event]) -> int | None:
    shown = [e.at_ms for e in events if e.type == "ready" or (e.type == "heartbeat" and e.playing)]
    if shown:
        return min(shown)
    play = next((index for index, event in enumerate(events) if event.type == "play"), None)
    if play is None or not any(event.type in _PROGRESS for event in events[play + 1 :]):
        return None
    if events[play + 1].type != "buffer_start":
        return events[play].at_ms
    return next((event.at_ms for event in events[play:] if event.type == "buffer_end"), None)


class _Pass:
    """The state between two events of a session."""

    def __init__(self, playback: Playback, events: Sequence[Event]) -> None:
        self.playback, self.events = playback, events
        self.first_frame_ms = _first_frame_ms(events)
        self.heartbeats = any(event.type == "heartbeat" and event.playing is not None for event in events)
        self.wanted = False
        self.stall: Stall | None = None
        self.seeking: Literal["events", "buffer"] | None = None
        """What ends a seek in hand: its own second event, or the end of buffering."""
        self.sought_ms: int | None = None
        self.bitrate: float | None = None
        self.bits, self.known_ms = 0.0, 0

    def run(self) -> None:
        for event, after in zip(self.events, [*self.events[1:], None], strict=True):
            self._take(event)
            if after is not None and not self._pass(after.at_ms - event.at_ms, event.at_ms):
                break
        if self.known_ms:
            self.playback.bitrate_bps = round(self.bits / self.known_ms)

    def _started(self, at_ms: int) -> bool:
        return self.first_frame_ms is not None and at_ms >= self.first_frame_ms

    def _pass(self, elapsed_ms: int, at_ms: int) -> bool:
        """Let time pass in the present state; return False when the measured part ends."""
        playback = self.playback
        if elapsed_ms > MAX_SILENCE_MS:
            playback.gap, playback.ended_ms = True, at_ms
            return False
        if not self._started(at_ms):
            return True
        if self.seeking is not None:
            playback.seek_ms += elapsed_ms
        elif self.wanted and self.stall is not None:
            counted = min(elapsed_ms, LONG_STALL_MS - self.stall.duration_ms)
            self.stall.duration_ms += counted
            playback.rebuffer_ms += counted
            playback.long_stall = counted < elapsed_ms
            return not playback.long_stall
        elif self.wanted:
            if self.heartbeats and elapsed_ms > GAP_MS:
                playback.gap = True
                return False
            playback.play_ms += elapsed_ms
            if self.bitrate is not None:
                self.bits += self.bitrate * elapsed_ms
                self.known_ms += elapsed_ms
        return True

    def _take(self, event: Event) -> None:
        if event.bitrate_bps is not None and event.bitrate_bps > 0:
            self.bitrate = event.bitrate_bps
        match event.type:
            case "play":
                self.wanted = True
                self.seeking = None if self.seeking == "events" else self.seeking
            case "pause":
                self.wanted = False
            case "heartbeat":
                if event.playing is not None and self.stall is None and self.seeking is None:
                    self.wanted = event.playing
            case "seek":
                self._seek(event)
            case "buffer_start":
                self._buffer(event)
            case "buffer_end":
                self.stall, self.seeking = None, None
            case "load" | "complete":
                self.stall, self.seeking = None, None
                self.wanted = self.wanted and event.type == "load"
                self.playback.completed |= event.type == "complete"
            case "error" if event.fatal is not False:
                self.stall, self.seeking, self.wanted = None, None, False
            case "quality_change":
                self.playback.quality_changes.append(event)
            case "dropped_frames":
                self.playback.dropped_frames = (self.playback.dropped_frames or 0) + round(event.frame_count or 0)

    def _seek(self, event: Event) -> None:
        if event.phase != "end" or self.seeking is None:
            self.playback.seeks.append(event)
        if event.phase == "start":
            self.seeking = "events"
        elif event.phase == "end" or self.stall is None:
            self.seeking = None
        else:
            self.seeking = "buffer"
        self.stall, self.sought_ms = None, event.at_ms

    def _buffer(self, event: Event) -> None:
        if not self._started(event.at_ms) or self.seeking is not None or self.stall is not None:
            return
        if self.sought_ms is not None and event.at_ms - self.sought_ms <= SEEK_MS:
            self.seeking = "buffer"
        else:
            self.stall = Stall(event.at_ms, event.position_s)
            self.playback.stalls.append(self.stall)
