"""What is known about the posted sessions, computed from the bodies themselves in plain Python and NumPy.

Independent of the system under observation on purpose: it shares no code, no histogram and no storage with it, so
that the published figures can be held against it. Formulas follow the same definitions of each metric.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """QoE of a set of sessions; `_pct` is 0-100, nan where nothing was measured."""

    sessions: int
    play_hours: float
    startup_ms_p50: float
    startup_ms_p95: float
    startup_ms_mean: float
    rebuffer_pct_play: float
    vsf_pct: float
    ebvs_pct: float
    vpf_pct: float
    bitrate_bps: float


@dataclass(frozen=True)
class Truth:
    """The known truth: all sessions, and the bad release against every other version of the same SDK."""

    sends: int
    """Bodies posted, resends included."""
    overall: Figures
    bad_release: str
    bad_day: date
    """UTC day on which the bad release was rolled out; the fix began the day after."""
    bad: Figures
    """Sessions of the bad release, on whatever day."""
    others: Figures
    """Sessions of all other versions. Bodies that name no version are in neither."""

    @property
    def startup_ratio(self) -> float:
        """Median startup of the bad release over that of the others."""
        return self.bad.startup_ms_p50 / self.others.startup_ms_p50

    @property
    def rebuffer_ratio(self) -> float:
        """Share of time stalled in the bad release over that of the others."""
        return self.bad.rebuffer_pct_play / self.others.rebuffer_pct_play


def known_truth(bodies: Iterable[Body], *, bad_release: str, bad_day: date) -> Truth:
    """Compute the truth of the unique newest sessions among `bodies`, in the SDK's or the legacy shape."""
    sends = list(bodies)
    sessions = newest(sends)
    return Truth(
        sends=len(sends),
        overall=figures(sessions),
        bad_release=bad_release,
        bad_day=bad_day,
        bad=figures([s for s in sessions if s.get("appVersion") == bad_release]),
        others=figures([s for s in sessions if s.get("appVersion") not in {None, bad_release}]),
    )


def newest(bodies: Iterable[Body]) -> list[Body]:
    """Return one body a session, the one with the greatest timestamp; numeric ids are unique only with their start."""
    kept: dict[tuple[object, ...], Body] = {}
    for body in bodies:
        identifier = body["sessionId"]
        key = (identifier,) if isinstance(identifier, str) else (identifier, body["sessionStartDateIso"])
        if key not in kept or body.get("timestamp", 0) >= kept[key].get("timestamp", 0):
            kept[key] = body
    return list(kept.values())


def figures(sessions: Sequence[Body]) -> Figures:
    """Compute the figures of a set of unique sessions."""
    startup = [value for s in sessions if (value := _startup(s)) is not None]
    stalled = [(s["rebufferTimeMs"], s["playTimeMs"]) for s in sessions if _known(s, "rebufferTimeMs", "playTimeMs")]
    rated = [(s["meanVideoFormatBitrate"], s["playTimeMs"]) for s in sessions if _known(s, "playTimeMs")]
    rated = [(bitrate, play) for bitrate, play in rated if bitrate is not None and bitrate > 0]
    outcomes = [_outcome(s) for s in sessions]
    ended = outcomes.count("played") + outcomes.count("playback_failure")
    return Figures(
        sessions=len(sessions),
        play_hours=math.fsum(s.get("playTimeMs") or 0 for s in sessions) / 3_600_000,
        startup_ms_p50=nearest_rank(startup, 0.50),
        startup_ms_p95=nearest_rank(startup, 0.95),
        startup_ms_mean=float(np.mean(startup)) if startup else math.nan,
        rebuffer_pct_play=_quotient(100 * sum(r for r, _ in stalled), sum(r + p for r, p in stalled)),
        vsf_pct=_quotient(100 * outcomes.count("video_start_failure"), len(outcomes)),
        ebvs_pct=_quotient(100 * outcomes.count("exit_before_video_start"), len(outcomes)),
        vpf_pct=_quotient(100 * outcomes.count("playback_failure"), ended),
        bitrate_bps=_quotient(sum(bitrate * play for bitrate, play in rated), sum(play for _, play in rated)),
    )


def nearest_rank(values: Sequence[float], q: float) -> float:
    """Return the exact quantile: the smallest value with at least a share `q` at or below it; nan of nothing."""
    return float(np.sort(values)[max(math.ceil(q * len(values)) - 1, 0)]) if len(values) else math.nan


def _startup(session: Body) -> int | None:
    value: int | None = session.get("startupTimeMs", session.get("playerStartupMs"))
    return value


def _known(session: Body, *fields: str) -> bool:
    return all(session.get(field) is not None for field in fields)


def _outcome(session: Body) -> str:
    started = _startup(session) is not None or (session.get("playTimeMs") or 0) > 0
    if started:
        return "playback_failure" if session["errorCount"] > 0 else "played"
    return "video_start_failure" if session["errorCount"] > 0 else "exit_before_video_start"


def _quotient(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.nan
