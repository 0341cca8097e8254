"""What happens in each session: when, where, how long until the first frame, how often it stalls, how it ends.

The habits come from `lab.viewers`, the release from `lab.releases`; how a session is told to a server is in
`lab.population`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lab import releases
from lab.titles import TITLES, popularity
from lab.viewers import (
    CELLULAR_4G,
    CELLULAR_5G,
    COUNTRIES,
    CURRENT,
    DEVICES,
    ETHERNET,
    FAVOURITES,
    NETWORKS,
    WIFI,
    Booleans,
    Floats,
    Integers,
    Viewers,
)

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
FAVOURITE_SHARE = 0.35
WEEKEND = (1.0, 1.0, 1.0, 1.0, 1.15, 1.45, 1.4)
"""Appetite by weekday, Monday first."""
START_FAILURE = 0.009
PLAYBACK_FAILURE = 0.010
SLIP = 0.004
"""Sessions left within a second for no reason of quality."""


class Playback(NamedTuple):
    """One session as it happened; times in ms, `startup_ms` None when no frame came, `bitrate_bps` -1 when unknown."""

    viewer: int
    device: int
    title: int
    version: int
    network: int
    cdn: int
    start_ms: int
    startup_ms: int | None
    join_ms: int
    play_ms: int
    rebuffer_ms: int
    rebuffer_count: int
    seek_ms: int
    seek_count: int
    paused_ms: int
    dropped_frames: int
    bitrate_bps: int
    error_count: int

    @property
    def duration_ms(self) -> int:
        """From the session's start to its end, pauses included."""
        return self.join_ms + self.play_ms + self.rebuffer_ms + self.seek_ms + self.paused_ms


@dataclass(frozen=True)
class _Scene:
    """Where and when each session takes place, before anything is played."""

    viewer: Integers
    start_ms: Integers
    device: Integers
    network: Integers
    title: Integers
    version: Integers
    cdn: Integers

    @property
    def bad(self) -> Booleans:
        return np.asarray(self.version == releases.VERSIONS.index(releases.BAD))


def draw_playbacks(rng: np.random.Generator, viewers: Viewers, rollout: releases.Releases, n: int) -> list[Playback]:
    """Draw `n` sessions within the window of `rollout`, in order of start."""
    scene = _scene(rng, viewers, rollout, n)
    join, started, failed = _starts(rng, viewers, scene)
    play = _watched(rng, scene) * started
    broken = started & (rng.random(n) < PLAYBACK_FAILURE * np.where(scene.bad, releases.PLAYBACK_FAILURE_FACTOR, 1.0))
    play = np.floor(np.where(broken, play * rng.beta(1.0, 2.5, n), play))
    stalls, stalled = _stalls(rng, viewers, scene, play)
    seeks = rng.poisson(0.25 + 0.7 * play / HOUR_MS) * started
    seeking = (seeks * rng.lognormal(np.log(380.0), 0.5, n)).astype(np.int64)
    paused = np.where(started & (rng.random(n) < 0.15), rng.exponential(90_000.0, n), 0.0).astype(np.int64)
    stalls += (paused > 0) & (rng.random(n) < 0.1)  # Media3 also counts buffering while paused, which takes no time
    columns = (
        scene.viewer,
        scene.device,
        scene.title,
        scene.version,
        scene.network,
        scene.cdn,
        scene.start_ms,
        np.where(started, join, -1),
        join,
        play.astype(np.int64),
        stalled,
        stalls,
        seeking,
        seeks,
        paused,
        _dropped(rng, scene, play),
        np.where(started, _bitrate(rng, viewers, scene), -1),
        (failed | broken).astype(np.int64),
    )
    rows = (Playback(*row) for row in zip(*(column.tolist() for column in columns), strict=True))
    return [row if row.startup_ms != -1 else row._replace(startup_ms=None) for row in rows]


def _scene(rng: np.random.Generator, viewers: Viewers, rollout: releases.Releases, n: int) -> _Scene:
    viewer = rng.choice(len(viewers), n, p=viewers.activity)
    first = rollout.end.toordinal() - rollout.days
    appetite = np.array([WEEKEND[(first + index - 1) % 7] for index in range(rollout.days)])
    day = rng.choice(rollout.days, n, p=appetite / appetite.sum())
    habitual = rng.normal(viewers.peak_hour[viewer], 1.8)
    local_hour = np.where(rng.random(n) < 0.8, habitual, rng.uniform(7.0, 24.0, n)) % 24.0
    offset = np.array([country.offset_hours for country in COUNTRIES])[viewers.country[viewer]]
    epoch_day = first - 719_163  # the ordinal of 1970-01-01
    start_ms = (epoch_day + day) * DAY_MS + (((local_hour - offset) % 24.0) * HOUR_MS).astype(np.int64)
    order = np.argsort(start_ms, kind="stable")
    viewer, day, local_hour, start_ms = viewer[order], day[order], local_hour[order], start_ms[order]
    on_television = rng.random(n) < viewers.television_share[viewer]
    favourite = viewers.favourites[viewer, rng.integers(FAVOURITES, size=n)]
    first_cdn = np.array([country.first_cdn for country in COUNTRIES])[viewers.country[viewer]]
    return _Scene(
        viewer=viewer,
        start_ms=start_ms,
        device=np.where(on_television, viewers.television[viewer], viewers.phone[viewer]),
        network=_network(rng, viewers, viewer, local_hour, on_television),
        title=np.where(rng.random(n) < FAVOURITE_SHARE, favourite, rng.choice(len(TITLES), n, p=popularity())),
        version=np.where(viewers.build[viewer] == CURRENT, rollout.installed(viewers, viewer, day), 0),
        cdn=(rng.random(n) >= first_cdn).astype(np.int64),
    )


def _network(
    rng: np.random.Generator, viewers: Viewers, viewer: Integers, local_hour: Floats, on_television: Booleans
) -> Integers:
    commuting = ((local_hour >= 7) & (local_hour < 9)) | ((local_hour >= 16) & (local_hour < 18.5))
    share = np.minimum(viewers.cellular_share[viewer] * np.where(commuting, 2.5, 0.7), 0.95)
    away = ~on_television & (rng.random(len(viewer)) < share)
    cellular = np.where(viewers.has_5g[viewer] & (rng.random(len(viewer)) < 0.7), CELLULAR_5G, CELLULAR_4G)
    home = np.where(on_television & viewers.wired[viewer], ETHERNET, WIFI)
    return np.where(away, cellular, home)


def _starts(rng: np.random.Generator, viewers: Viewers, scene: _Scene) -> tuple[Integers, Booleans, Booleans]:
    """Return the time spent joining, whether a frame came, and whether an error ended the wait."""
    n = len(scene.viewer)
    progressive = np.array([title.stream_type == "progressive" for title in TITLES])[scene.title]
    typical = np.array([network.startup_ms for network in NETWORKS])[scene.network]
    slowness = np.array([device.slowness for device in DEVICES])[scene.device]
    effect = viewers.startup_effect[scene.viewer] + slowness - 0.15 * progressive
    factor = np.where(scene.bad, releases.STARTUP_FACTOR, 1.0)
    needed = np.clip(typical * factor * np.exp(effect + rng.normal(0.0, 0.5, n)), 80.0, 60_000.0)
    patience = viewers.patience_ms[scene.viewer] * rng.lognormal(0.0, 0.6, n)
    patience = np.where(rng.random(n) < SLIP, rng.uniform(150.0, 900.0, n), patience)
    failing = rng.random(n) < START_FAILURE * np.where(scene.bad, releases.START_FAILURE_FACTOR, 1.0)
    needed = np.where(failing, needed + rng.lognormal(np.log(1_500.0), 0.6, n), needed)
    stayed = needed <= patience
    join = np.maximum(np.minimum(needed, patience), 1.0).astype(np.int64)
    return join, stayed & ~failing, stayed & failing


def _watched(rng: np.random.Generator, scene: _Scene) -> Floats:
    n = len(scene.viewer)
    length = np.array([title.seconds * 1000.0 for title in TITLES])[scene.title]
    sampled = np.minimum(rng.exponential(240_000.0, n), length)
    return np.maximum(np.where(rng.random(n) < 0.35, sampled, length * rng.beta(2.5, 1.3, n)), 500.0)


def _stalls(rng: np.random.Generator, viewers: Viewers, scene: _Scene, play: Floats) -> tuple[Integers, Integers]:
    """Return stalls and the time they took: none in a good part of sessions, else by the hour."""
    n = len(scene.viewer)
    effect = viewers.stall_effect[scene.viewer]
    clean = rng.random(n) < 1.0 / (1.0 + np.exp(1.2 * effect - 0.2))
    rate = np.array([network.stalls_per_hour for network in NETWORKS])[scene.network] * np.exp(effect)
    rate *= np.array([title.strain for title in TITLES])[scene.title]
    rate *= np.where(scene.bad, releases.STALL_FACTOR, 1.0)
    count = np.where(clean, 0, rng.poisson(rate * play / HOUR_MS))
    each = rng.lognormal(np.log(2_300.0), 0.8, int(count.sum()))
    total = np.bincount(np.repeat(np.arange(n), count), weights=each, minlength=n)
    return count, total.astype(np.int64)


def _dropped(rng: np.random.Generator, scene: _Scene, play: Floats) -> Integers:
    slowness = np.array([device.slowness for device in DEVICES])[scene.device]
    per_minute = 0.6 * np.exp(3.0 * slowness) * rng.lognormal(0.0, 1.0, len(scene.viewer))
    return rng.poisson(per_minute * play / 60_000.0)


def _bitrate(rng: np.random.Generator, viewers: Viewers, scene: _Scene) -> Integers:
    n = len(scene.viewer)
    progressive = np.array([title.stream_type == "progressive" for title in TITLES])[scene.title]
    network = np.array([network.bitrate_bps for network in NETWORKS])[scene.network]
    cap = np.array([device.cap_bps for device in DEVICES])[scene.device]
    adapted = np.minimum(network * np.exp(rng.normal(-0.5 * viewers.startup_effect[scene.viewer], 0.25)), cap)
    bitrate = np.where(progressive, 1.4e6, adapted)
    return np.where(rng.random(n) < np.where(progressive, 0.3, 0.02), -1.0, bitrate).astype(np.int64)
