"""The demo's traffic: seeded viewers with known truth, as the bodies that their SDKs send, in the order of sending.

Who they are is in `lab.viewers`, what happens to them in `lab.playbacks`, what is true of it in `lab.truth`. Sending
itself is in `lab.posting`.
"""

import json
import math
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from lab.playbacks import DAY_MS, Playback, draw_playbacks
from lab.releases import BAD, DAYS_SINCE_BAD_RELEASE, PLAYERS, VERSIONS, Releases
from lab.titles import TITLES
from lab.truth import Truth, known_truth
from lab.viewers import CDNS, COUNTRIES, CURRENT, DEVICES, LEGACY, NETWORKS, PHONES, draw_viewers

SESSIONS_PER_VIEWER_DAY = 0.82
UPDATE_SHARE = 0.015
"""Sessions of which a first summary was sent when the app went to the background, midway."""
REPEAT_SHARE = 0.006
"""Sends whose answer was lost, and which are sent again unchanged."""
LATE_SHARE = 0.015
"""Sessions that wait on the device, for days, until it is online again."""
SLOW_CLOCKS_MS = (-95 * 60_000, -4 * 3_600_000)
"""Error of the clocks of a few phones."""
RESET_CLOCK_MS = 978_307_200_000 + 412_000
"""A clock that began at 2001-01-01 after an empty battery, minutes after boot."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Send = tuple[int, dict[str, Any]]


class Population:
    """Viewers who watch for `days` whole UTC days before the day of `end`.

    The same arguments (of `end` its UTC date) give the same bodies; the same `seed` and `viewers` give the same
    viewers for every `end`. Raises ValueError for a naive `end`, fewer than 8 days (releases need room around the
    bad day) or fewer than 10 viewers.
    """

    def __init__(self, seed: int, end: datetime, days: int = 14, viewers: int = 700) -> None:
        if end.tzinfo is None:
            raise ValueError("end needs a time zone")
        if days <= DAYS_SINCE_BAD_RELEASE + 2 or viewers < 10:
            raise ValueError("a population needs at least 8 days and 10 viewers")
        self._rollout = Releases(end.astimezone(UTC).date(), days)
        self._end_ms = (self._rollout.end - _EPOCH.date()).days * DAY_MS
        self._start_ms = self._end_ms - days * DAY_MS
        self._entropy = [seed, self._rollout.end.toordinal(), days, viewers]
        self._viewers = draw_viewers(np.random.default_rng([seed, viewers]), viewers)

    @property
    def bad_release(self) -> str:
        """The app version that should not have been released."""
        return BAD

    @property
    def bad_day(self) -> date:
        """The UTC day on which it was rolled out."""
        return self._rollout.bad_day

    @property
    def days(self) -> list[date]:
        """The UTC days of the window, oldest first."""
        return [self._rollout.end - timedelta(days=back) for back in range(self._rollout.days, 0, -1)]

    def __len__(self) -> int:
        return len(self._sends)

    def sessions(self) -> Iterator[dict[str, Any]]:
        """Yield the bodies in the order in which they are sent, each a copy that the caller may change."""
        return (dict(body) for body in self._sends)

    def truth(self) -> Truth:
        """Compute what is true of the sessions, without the system that is told of them."""
        return known_truth(self._sends, bad_release=self.bad_release, bad_day=self.bad_day)

    @cached_property
    def _sends(self) -> list[dict[str, Any]]:
        rng = np.random.default_rng(self._entropy)
        wanted = round(len(self._viewers) * self._rollout.days * SESSIONS_PER_VIEWER_DAY)
        slow = dict(zip(np.flatnonzero(self._viewers.build == CURRENT).tolist(), SLOW_CLOCKS_MS, strict=False))
        sends: list[_Send] = []
        counters: dict[int, int] = {}
        reset = True
        for playback in draw_playbacks(rng, self._viewers, self._rollout, wanted):
            claimed_ms = playback.start_ms + slow.get(playback.viewer, 0)
            # A summary exists once the session has ended: those that reach past the window are not known yet.
            if playback.start_ms + playback.duration_ms >= self._end_ms or claimed_ms < self._start_ms:
                continue
            build = self._viewers.build[playback.viewer]
            if build == CURRENT:
                if reset and playback.start_ms > self._start_ms + DAY_MS:
                    claimed_ms, reset = RESET_CLOCK_MS, False
                sends += self._current(rng, playback, claimed_ms)
            elif build == LEGACY:
                sends.append(self._legacy(rng, playback))
            else:
                counters[playback.viewer] = counters.get(playback.viewer, 0) + 1
                sends.append(_counting(playback, counters[playback.viewer]))
        sends.sort(key=lambda send: send[0])
        return [body for _, body in sends]

    def _current(self, rng: np.random.Generator, playback: Playback, claimed_ms: int) -> list[_Send]:
        """Return the sends of one session of today's SDK, each with the true time of sending."""
        session_id = str(uuid.UUID(bytes=rng.bytes(16), version=4))
        update, repeat, late = rng.random(3)
        at_ms = playback.start_ms + playback.duration_ms
        arrives_ms = at_ms + (round(float(rng.uniform(0.5, 4.0)) * DAY_MS) if late < LATE_SHARE else 0)
        final = self._body(playback, session_id, claimed_ms)
        sends = [(arrives_ms, final)]
        if update < UPDATE_SHARE and playback.play_ms > 60_000:
            midway = _midway(playback, float(rng.uniform(0.2, 0.8)))
            sends.insert(0, (playback.start_ms + midway.duration_ms, self._body(midway, session_id, claimed_ms)))
        if repeat < REPEAT_SHARE:
            sends.append((arrives_ms + 30_000, final))
        return sends

    def _body(self, playback: Playback, session_id: str, claimed_ms: int) -> dict[str, Any]:
        viewers, device, title = self._viewers, DEVICES[playback.device], TITLES[playback.title]
        return {
            **_summary(playback, session_id, claimed_ms),
            "timestamp": claimed_ms + playback.duration_ms,
            "contentId": title.content_id,
            "streamType": title.stream_type,
            "userId": viewers.user_ids[playback.viewer],
            "deviceId": viewers.device_ids[playback.viewer][playback.device >= len(PHONES)],
            "appVersion": VERSIONS[playback.version],
            "deviceModel": device.model,
            "osVersion": device.os_version,
            "networkType": NETWORKS[playback.network].name,
            "country": COUNTRIES[viewers.country[playback.viewer]].code,
            "cdn": CDNS[playback.cdn],
            "player": PLAYERS[VERSIONS[playback.version]],
        }

    def _legacy(self, rng: np.random.Generator, playback: Playback) -> _Send:
        title, device = TITLES[playback.title], DEVICES[playback.device]
        body = {
            "sessionId": f"sess_{rng.bytes(8).hex()}",
            "timestamp": playback.start_ms,
            "contentId": title.content_id,
            "streamType": title.stream_type,
            "playerStartupMs": playback.startup_ms,
            "rebufferTimeMs": playback.rebuffer_ms,
            "rebufferCount": playback.rebuffer_count,
            "errorCount": playback.error_count,
            "payload": json.dumps({"device": device.model, "network": NETWORKS[playback.network].name}),
        }
        return playback.start_ms + playback.duration_ms, body


def _counting(playback: Playback, number: int) -> _Send:
    """Return a send of the SDK that knew neither content nor `timestamp`, and counted its sessions from 1."""
    return playback.start_ms + playback.duration_ms, _summary(playback, number, playback.start_ms)


def _summary(playback: Playback, session_id: str | int, claimed_ms: int) -> dict[str, Any]:
    """Return the fields that every SDK sends. The ratio is Media3's: 0.0, not null, where nothing was measured."""
    measured = playback.play_ms + playback.join_ms + playback.rebuffer_ms + playback.seek_ms
    started_at = _EPOCH + timedelta(milliseconds=claimed_ms)
    return {
        "sessionId": session_id,
        "sessionStartDateIso": started_at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z",
        "sessionDurationMs": playback.duration_ms,
        "startupTimeMs": playback.startup_ms,
        "rebufferTimeMs": playback.rebuffer_ms,
        "rebufferCount": playback.rebuffer_count,
        "playTimeMs": playback.play_ms,
        "rebufferRatio": playback.rebuffer_ms / measured if measured else 0.0,
        "totalDroppedFrames": playback.dropped_frames,
        "totalSeekCount": playback.seek_count,
        "totalSeekTimeMs": playback.seek_ms,
        "meanVideoFormatBitrate": playback.bitrate_bps,
        "errorCount": playback.error_count,
    }


def _midway(playback: Playback, share: float) -> Playback:
    """Return the playback as it stood after a share of its play time."""
    return playback._replace(
        play_ms=int(playback.play_ms * share),
        rebuffer_ms=int(playback.rebuffer_ms * share),
        rebuffer_count=math.ceil(playback.rebuffer_count * share),
        seek_ms=int(playback.seek_ms * share),
        seek_count=int(playback.seek_count * share),
        paused_ms=0,
        dropped_frames=int(playback.dropped_frames * share),
        error_count=0,
    )
